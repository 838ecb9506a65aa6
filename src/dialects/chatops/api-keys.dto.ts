import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type ApiKey, type IssuedApiKey, resourceOf } from '../../api-keys/index.js';

export class ChatOpsApiKeyRequest {
  @ApiProperty({ format: 'uuid' })
  server_id!: string;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 100, example: 'agent' })
  name?: string | null;

  @ApiPropertyOptional({ type: String, format: 'date-time', nullable: true })
  expires_at?: string | null;
}

export class ChatOpsApiKey {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ format: 'uuid' })
  server_id!: string;

  @ApiProperty({ example: 'agent' })
  name!: string;

  /** Neither deactivated nor expired. */
  @ApiProperty()
  is_active!: boolean;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_used!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  expires_at!: string | null;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;
}

export class ChatOpsIssuedApiKey extends ChatOpsApiKey {
  /** The key itself. This is the only time that it is shown. */
  @ApiProperty({ example: 'gh_3mT9xQ…' })
  key!: string;
}

export class ChatOpsCurrentApiKey {
  @ApiProperty({ format: 'uuid' })
  server_id!: string;

  @ApiProperty({ format: 'uuid' })
  key_id!: string;

  @ApiProperty({ example: 'agent' })
  name!: string;

  @ApiProperty()
  is_active!: boolean;
}

/** A key as this wire shows it. */
export function chatOpsApiKey(apiKey: ApiKey): ChatOpsApiKey {
  return {
    id: apiKey.id,
    server_id: resourceOf(apiKey)?.id ?? '',
    name: apiKey.name,
    is_active: isActive(apiKey),
    last_used: apiKey.lastUsedAt?.toISOString() ?? null,
    expires_at: apiKey.expiresAt?.toISOString() ?? null,
    created_at: apiKey.createdAt.toISOString(),
  };
}

export function chatOpsIssuedApiKey({ apiKey, key }: IssuedApiKey): ChatOpsIssuedApiKey {
  return { ...chatOpsApiKey(apiKey), key };
}

/** Whether a key has not come to any of its ends. */
export function isActive({ revokedAt, expiresAt, retiresAt }: ApiKey): boolean {
  return revokedAt === null && [expiresAt, retiresAt].every((end) => end === null || end > new Date());
}
