import { ApiProperty } from '@nestjs/swagger';
import type { Session } from './session.entity.js';

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
