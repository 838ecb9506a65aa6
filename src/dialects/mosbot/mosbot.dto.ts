import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Role } from '../../access/index.js';
import type { User } from '../../users/index.js';

export const WIRE_ROLES = ['owner', 'admin', 'user'] as const;

export type WireRole = (typeof WIRE_ROLES)[number];

/** The product calls members users. */
export function wireRole(role: Role): WireRole {
  return role === 'member' ? 'user' : role;
}

class MosbotErrorDetail {
  @ApiProperty({ example: 'Invalid credentials' })
  message!: string;

  @ApiProperty({ type: 'integer', example: 401 })
  status!: number;
}

export class MosbotErrorBody {
  @ApiProperty({ type: MosbotErrorDetail })
  error!: MosbotErrorDetail;
}

export class MosbotLoginBody {
  @ApiProperty({ format: 'email', example: 'owner@example.com' })
  email!: string;

  @ApiProperty({ format: 'password', example: 'three-random-words-42' })
  password!: string;
}

export class MosbotRegisterBody extends MosbotLoginBody {
  @ApiProperty({ example: 'Ada Lovelace' })
  name!: string;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'https://example.com/ada.png' })
  avatar_url?: string | null;
}

export class MosbotCreateUserBody {
  @ApiProperty({ example: 'Ada Lovelace' })
  name!: string;

  @ApiProperty({ format: 'email', example: 'ada@example.com' })
  email!: string;

  /** Without one nobody can sign in to the account until one is set. */
  @ApiPropertyOptional({ type: String, nullable: true, format: 'password', example: 'three-random-words-42' })
  password?: string | null;

  @ApiPropertyOptional({ enum: WIRE_ROLES, default: 'user' })
  role?: WireRole;

  @ApiPropertyOptional({ default: true })
  active?: boolean;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'https://example.com/ada.png' })
  avatar_url?: string | null;
}

/** What is absent stays as it is. */
export class MosbotUpdateUserBody {
  @ApiPropertyOptional({ example: 'Ada Lovelace' })
  name?: string;

  @ApiPropertyOptional({ format: 'email', example: 'ada@example.com' })
  email?: string;

  /** Ends the user's sessions. */
  @ApiPropertyOptional({ type: String, nullable: true, format: 'password', example: 'three-random-words-42' })
  password?: string | null;

  @ApiPropertyOptional({ enum: WIRE_ROLES, example: 'user' })
  role?: WireRole;

  /** `false` ends the user's sessions and suspends the user's keys. */
  @ApiPropertyOptional()
  active?: boolean;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'https://example.com/ada.png' })
  avatar_url?: string | null;
}

export class MosbotUser {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ type: String, nullable: true, example: 'Ada Lovelace' })
  name!: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'email', example: 'ada@example.com' })
  email!: string | null;

  @ApiProperty({ type: String, nullable: true })
  avatar_url!: string | null;

  @ApiProperty({ enum: WIRE_ROLES, example: 'user' })
  role!: WireRole;

  @ApiProperty()
  active!: boolean;

  @ApiProperty({ type: String, format: 'date-time' })
  created_at!: string;
}

class MosbotTokens {
  @ApiProperty({ example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9…', description: 'A JWT, for `Authorization: Bearer`.' })
  token!: string;

  @ApiProperty({ type: MosbotUser })
  user!: MosbotUser;

  /** `JWT_EXPIRES_IN`, as it was given. */
  @ApiProperty({ example: '7d' })
  expires_in!: string;
}

/** The product's document shows the token and the user at the top; its dashboard reads them under `data`. */
export class MosbotSignInBody extends MosbotTokens {
  @ApiProperty({ type: MosbotTokens })
  data!: MosbotTokens;
}

class MosbotVerified {
  @ApiProperty({ enum: [true] })
  valid!: true;

  @ApiProperty({ type: MosbotUser })
  user!: MosbotUser;
}

export class MosbotVerifyBody {
  @ApiProperty({ type: MosbotVerified })
  data!: MosbotVerified;
}

export class MosbotUserBody {
  @ApiProperty({ type: MosbotUser })
  data!: MosbotUser;
}

class MosbotPagination {
  @ApiProperty({ type: 'integer', example: 1 })
  total!: number;

  @ApiProperty({ type: 'integer', example: 50 })
  limit!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  offset!: number;
}

export class MosbotUserList {
  @ApiProperty({ type: [MosbotUser] })
  data!: MosbotUser[];

  @ApiProperty({ type: MosbotPagination })
  pagination!: MosbotPagination;
}

class MosbotConfig {
  @ApiProperty({ example: 'UTC', description: 'An IANA time zone.' })
  timezone!: string;

  @ApiProperty({ enum: ['open', 'closed'] })
  registration!: 'open' | 'closed';

  @ApiProperty({ type: 'integer', example: 12 })
  password_min_length!: number;
}

export class MosbotConfigBody {
  @ApiProperty({ type: MosbotConfig })
  data!: MosbotConfig;
}

/** A user as the product shows one. */
export function mosbotUser(user: User): MosbotUser {
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    avatar_url: user.pictureUrl,
    role: wireRole(user.role),
    active: user.disabledAt === null,
    created_at: user.createdAt.toISOString(),
  };
}
