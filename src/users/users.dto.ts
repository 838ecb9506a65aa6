import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, ValidateIf } from 'class-validator';
import { type Role, ROLES } from '../access/index.js';
import { PageQuery, Secret, Text } from '../http/index.js';
import { EmailAddress, Username } from './identifiers.js';
import type { UserView } from './users.service.js';

/** A field that may be left out, but not be `null`. */
const Given = (): PropertyDecorator => ValidateIf((_, value: unknown) => value !== undefined);

export class UsersQuery extends PageQuery {
  /** Part of an email address, a username or a name. */
  @IsOptional()
  @Text({ max: 320 })
  @ApiPropertyOptional()
  search?: string;
}

/** What an account is made of, whoever makes it. */
export class NewAccountBody {
  /** Needed if there is no username. */
  @ValidateIf((body: NewAccountBody) => body.email != null || body.username == null)
  @EmailAddress()
  @ApiPropertyOptional()
  email?: string | null;

  /** Needed if there is no email. */
  @IsOptional()
  @Username()
  @ApiPropertyOptional()
  username?: string | null;

  @Secret()
  @ApiProperty({ example: 'three-random-words-42' })
  password!: string;

  @IsOptional()
  @Text({ max: 200 })
  @ApiPropertyOptional({ example: 'Ada Lovelace' })
  name?: string | null;
}

export class CreateUserBody extends NewAccountBody {
  @Given()
  @IsIn(ROLES, { message: `must be one of ${ROLES.join(', ')}` })
  @ApiPropertyOptional({ enum: ROLES, default: 'member' })
  role?: Role;
}

export class UpdateUserBody {
  @IsOptional()
  @EmailAddress()
  @ApiPropertyOptional({ nullable: true })
  email?: string | null;

  @IsOptional()
  @Username()
  @ApiPropertyOptional({ nullable: true })
  username?: string | null;

  @IsOptional()
  @Text({ max: 200 })
  @ApiPropertyOptional({ nullable: true, example: 'Ada Lovelace' })
  name?: string | null;

  @Given()
  @IsIn(ROLES, { message: `must be one of ${ROLES.join(', ')}` })
  @ApiPropertyOptional({ enum: ROLES, example: 'member' })
  role?: Role;

  /** `true` ends the user's sessions and suspends the user's keys. */
  @Given()
  @IsBoolean({ message: 'must be true or false' })
  @ApiPropertyOptional({ example: false })
  disabled?: boolean;
}

export class SetPasswordBody {
  @Secret()
  @ApiProperty({ example: 'three-random-words-42' })
  password!: string;
}

export class UserBody {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ type: String, nullable: true, format: 'email', example: 'ada@example.com' })
  email!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'ada' })
  username!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'Ada Lovelace' })
  name!: string | null;

  @ApiProperty({ enum: ROLES, example: 'member' })
  role!: Role;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  disabledAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lockedUntil!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lastLoginAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  updatedAt!: string;
}

export class UserPage {
  @ApiProperty({ type: [UserBody] })
  items!: UserBody[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

/** A user as the native API shows it. */
export function userBody({ user, lockedUntil }: UserView): UserBody {
  return {
    id: user.id,
    email: user.email,
    username: user.username,
    name: user.name,
    role: user.role,
    disabledAt: user.disabledAt?.toISOString() ?? null,
    lockedUntil: lockedUntil?.toISOString() ?? null,
    lastLoginAt: user.lastLoginAt?.toISOString() ?? null,
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
  };
}
