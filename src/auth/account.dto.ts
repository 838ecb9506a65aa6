import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, ValidateIf } from 'class-validator';
import { Secret, Text } from '../http/index.js';
import type { Session } from '../sessions/index.js';
import { EmailAddress, Username } from '../users/index.js';

export class UpdateMeBody {
  @IsOptional()
  @Text({ max: 200 })
  @ApiPropertyOptional({ nullable: true, example: 'Ada Lovelace' })
  name?: string | null;

  @IsOptional()
  @Username()
  @ApiPropertyOptional({ nullable: true })
  username?: string | null;

  /** Needs the current password. */
  @IsOptional()
  @EmailAddress()
  @ApiPropertyOptional({ nullable: true })
  email?: string | null;

  @ValidateIf((_, value: unknown) => value !== undefined)
  @Secret()
  @ApiPropertyOptional()
  currentPassword?: string;
}

export class ChangePasswordBody {
  @Secret()
  @ApiProperty({ example: 'three-random-words-42' })
  currentPassword!: string;

  @Secret()
  @ApiProperty({ example: 'four-other-random-words-7' })
  newPassword!: string;
}

export class SessionBody {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  /** Whether it is the session that asks. */
  @ApiProperty()
  current!: boolean;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  lastUsedAt!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  expiresAt!: string;

  @ApiProperty({ type: String, nullable: true, example: '192.0.2.7' })
  ipAddress!: string | null;

  @ApiProperty({ type: String, nullable: true })
  userAgent!: string | null;

  /** The dialect that it was started through; `null` for the native API. */
  @ApiProperty({ type: String, nullable: true })
  dialect!: string | null;
}

export class SessionPage {
  @ApiProperty({ type: [SessionBody] })
  items!: SessionBody[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

/** A session as the native API shows it. */
export function sessionBody(session: Session, currentId: string | null): SessionBody {
  return {
    id: session.id,
    current: session.id === currentId,
    createdAt: session.createdAt.toISOString(),
    lastUsedAt: session.lastUsedAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    ipAddress: session.ipAddress,
    userAgent: session.userAgent,
    dialect: session.dialect,
  };
}
