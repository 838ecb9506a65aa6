import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { ServerView } from './servers.service.js';

export class ChatOpsServerBody {
  @ApiProperty({ maxLength: 200, example: 'web-1' })
  name!: string;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 255, example: '192.0.2.10' })
  host?: string | null;

  @ApiPropertyOptional({ type: 'integer', nullable: true, minimum: 1, maximum: 65_535, example: 22 })
  port?: number | null;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { os: 'debian' } })
  metadata?: Record<string, unknown> | null;
}

export class ChatOpsServerChange extends ChatOpsServerBody {
  @ApiPropertyOptional({ maxLength: 200, example: 'web-1' })
  declare name: string;
}

export class ChatOpsServer {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'web-1' })
  name!: string;

  @ApiProperty({ type: String, nullable: true, example: '192.0.2.10' })
  host!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 22 })
  port!: number | null;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { os: 'debian' } })
  metadata!: Record<string, unknown>;

  /** Online while an agent of it is connected. */
  @ApiProperty({ enum: ['online', 'offline'] })
  status!: 'online' | 'offline';

  @ApiProperty({ example: 'unknown' })
  health_status!: 'unknown';

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_seen!: string | null;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ format: 'date-time' })
  updated_at!: string;
}

/** A server as this wire shows it. */
export function chatOpsServer({ server, online }: ServerView): ChatOpsServer {
  return {
    id: server.id,
    name: server.name,
    host: server.host,
    port: server.port,
    metadata: server.metadata,
    status: online ? 'online' : 'offline',
    health_status: 'unknown',
    last_seen: server.lastSeenAt?.toISOString() ?? null,
    created_at: server.createdAt.toISOString(),
    updated_at: server.updatedAt.toISOString(),
  };
}
