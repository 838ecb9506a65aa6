import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import { PageQuery, Time } from '../http/index.js';
import { AUDIT_ACTIONS } from './audit-actions.js';
import type { AuditEvent } from './audit-event.entity.js';

class AuditFilterQuery {
  /** Events that this user did, or that were done to this user. */
  @IsOptional()
  @IsUUID(undefined, { message: 'must be a UUID' })
  @ApiPropertyOptional({ format: 'uuid' })
  userId?: string;

  @IsOptional()
  @IsIn(AUDIT_ACTIONS, { message: 'must be a known action' })
  @ApiPropertyOptional({ enum: AUDIT_ACTIONS })
  action?: string;

  @IsOptional()
  @IsIn(['success', 'failure'], { message: 'must be success or failure' })
  @ApiPropertyOptional({ enum: ['success', 'failure'] })
  outcome?: 'success' | 'failure';

  /** Events that this user or API key did. */
  @IsOptional()
  @IsUUID(undefined, { message: 'must be a UUID' })
  @ApiPropertyOptional({ format: 'uuid' })
  actorId?: string;

  /** Events that were done to this user, API key or session. */
  @IsOptional()
  @IsUUID(undefined, { message: 'must be a UUID' })
  @ApiPropertyOptional({ format: 'uuid' })
  subjectId?: string;

  /** Events of this session. */
  @IsOptional()
  @IsUUID(undefined, { message: 'must be a UUID' })
  @ApiPropertyOptional({ format: 'uuid' })
  sessionId?: string;

  /** The earliest time, inclusive. */
  @IsOptional()
  @Time()
  @ApiPropertyOptional({ example: '2026-01-15T00:00:00.000Z' })
  from?: Date;

  /** The latest time, exclusive. */
  @IsOptional()
  @Time()
  @ApiPropertyOptional({ example: '2030-01-01T00:00:00.000Z' })
  to?: Date;
}

export class AuditQuery extends IntersectionType(PageQuery, AuditFilterQuery) {}

export class AuditPartyBody {
  @ApiProperty({ enum: ['user', 'api-key', 'session'] })
  type!: string;

  @ApiProperty({ format: 'uuid' })
  id!: string;
}

export class AuditEventBody {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ format: 'date-time' })
  at!: string;

  @ApiProperty({ enum: AUDIT_ACTIONS })
  action!: string;

  @ApiProperty({ enum: ['success', 'failure'] })
  outcome!: 'success' | 'failure';

  /** Who did it; `null` for the server itself, the command line, and people who did not get in. */
  @ApiProperty({ type: AuditPartyBody, nullable: true })
  actor!: AuditPartyBody | null;

  /** To whom or what it was done. */
  @ApiProperty({ type: AuditPartyBody, nullable: true })
  subject!: AuditPartyBody | null;

  /** The session that it was done in, or that it is about. */
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  sessionId!: string | null;

  @ApiProperty({ type: String, nullable: true, example: '192.0.2.7' })
  ipAddress!: string | null;

  @ApiProperty({ type: String, nullable: true })
  userAgent!: string | null;

  @ApiProperty({ type: String, nullable: true })
  requestId!: string | null;

  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { reason: 'wrong_credentials' } })
  detail!: Record<string, unknown> | null;
}

export class AuditEventPage {
  @ApiProperty({ type: [AuditEventBody] })
  items!: AuditEventBody[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

/** An event as the native API shows it. */
export function auditEventBody(event: AuditEvent): AuditEventBody {
  return {
    id: event.id,
    at: event.at.toISOString(),
    action: event.action,
    outcome: event.outcome,
    actor: party(event.actorType, event.actorId),
    subject: party(event.subjectType, event.subjectId),
    sessionId: event.sessionId,
    ipAddress: event.ipAddress,
    userAgent: event.userAgent,
    requestId: event.requestId,
    detail: event.detail,
  };
}

function party(type: string | null, id: string | null): AuditPartyBody | null {
  return type === null || id === null ? null : { type, id };
}
