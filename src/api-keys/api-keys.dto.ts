import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsInt, IsObject, IsOptional, Matches, Max, Min, MinDate, ValidateIf, ValidateNested } from 'class-validator';
import { isScope } from '../access/index.js';
import { PageQuery, Rule, Text, Time } from '../http/index.js';
import { type ApiKey } from './api-key.entity.js';
import { resourceOf } from './api-keys.service.js';

const SCOPE_EXAMPLE = ['servers:read', 'servers:write'];
const MOST_SCOPES = 100;
const LONGEST_SCOPE = 128;
const LONGEST_OVERLAP_SECONDS = 604_800;
const WRONG_OVERLAP = `must be a whole number of seconds from 0 to ${String(LONGEST_OVERLAP_SECONDS)}`;
const UUID_OR_NONE = /^(none|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** A list of scopes, at least one: there is no silent default. */
function Scopes(): PropertyDecorator {
  return applyDecorators(
    ScopeRule('scopesList', Array.isArray, 'must be a list of scopes'),
    ScopeRule('scopesGiven', (scopes) => scopes.length > 0, 'must name at least one scope'),
    ScopeRule('scopesFew', (scopes) => scopes.length <= MOST_SCOPES, `must have at most ${String(MOST_SCOPES)} scopes`),
    ScopeRule(
      'scopesFormed',
      (scopes) => scopes.every((scope) => typeof scope === 'string' && scope.length <= LONGEST_SCOPE && isScope(scope)),
      'must be scopes of the form resource:action, resource:* or *',
    ),
    ScopeRule('scopesOnce', (scopes) => new Set(scopes).size === scopes.length, 'must not name a scope twice'),
    ApiProperty({ type: [String], example: SCOPE_EXAMPLE, minItems: 1, maxItems: MOST_SCOPES }),
  );
}

/** One rule about a list that is not too long to be looked at; what is no list breaks the first rule alone. */
function ScopeRule(name: string, holds: (scopes: unknown[]) => boolean, message: string): PropertyDecorator {
  return Rule(
    name,
    (value) => {
      if (!Array.isArray(value)) return name !== 'scopesList';
      return (value.length > MOST_SCOPES && name !== 'scopesFew') || holds(value);
    },
    message,
  );
}

/** A moment in the future, or `null` for none. */
function FutureTime(): PropertyDecorator {
  return applyDecorators(
    IsOptional(),
    MinDate(() => new Date(), { message: 'must be in the future' }),
    Time(),
    ApiPropertyOptional({ nullable: true }),
  );
}

/** What a key is bound to, such as one server of a product. */
export class ResourceBody {
  @Text({ max: 64 })
  @ApiProperty({ example: 'server' })
  type!: string;

  @Text({ max: 128 })
  @ApiProperty({ example: '550e8400-e29b-41d4-a716-446655440000' })
  id!: string;
}

export class CreateApiKeyBody {
  @Text({ max: 100 })
  @ApiProperty({ example: 'CI' })
  name!: string;

  /** What the key may do; never more than its maker. */
  @Scopes()
  scopes!: string[];

  @FutureTime()
  expiresAt?: Date | null;

  /** What the key is bound to, for the product's own checks. */
  @IsOptional()
  @IsObject({ message: 'must be an object with type and id' })
  @ValidateNested({ message: 'must be an object with type and id' })
  @Type(() => ResourceBody)
  @ApiPropertyOptional({ type: ResourceBody, nullable: true })
  resource?: ResourceBody | null;
}

export class UpdateApiKeyBody {
  @ValidateIf((_, value: unknown) => value !== undefined)
  @Text({ max: 100 })
  @ApiPropertyOptional({ example: 'CI' })
  name?: string;

  @ValidateIf((_, value: unknown) => value !== undefined)
  @Scopes()
  @ApiPropertyOptional()
  scopes?: string[];

  @FutureTime()
  expiresAt?: Date | null;
}

export class RotateApiKeyBody {
  /** How long the old key stays good beside the new one, in seconds. */
  @IsOptional()
  @IsInt({ message: WRONG_OVERLAP })
  @Min(0, { message: WRONG_OVERLAP })
  @Max(LONGEST_OVERLAP_SECONDS, { message: WRONG_OVERLAP })
  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: LONGEST_OVERLAP_SECONDS, default: 0 })
  overlapSeconds?: number;
}

export class ApiKeysQuery extends PageQuery {
  /** For administrators: the keys of this user, or `none` for those of the instance itself. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))
  @Matches(UUID_OR_NONE, { message: 'must be a UUID or none' })
  @ApiPropertyOptional({ example: 'none' })
  userId?: string;
}

export class ApiKeyBody {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'CI' })
  name!: string;

  /** How the key begins. */
  @ApiProperty({ example: 'gh_3mT9xQ' })
  prefix!: string;

  @ApiProperty({ type: [String], example: SCOPE_EXAMPLE })
  scopes!: string[];

  @ApiProperty({ type: ResourceBody, nullable: true })
  resource!: ResourceBody | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  expiresAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lastUsedAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  revokedAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;

  /** `null` for a key of the instance itself. */
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  userId!: string | null;
}

export class IssuedApiKeyBody extends ApiKeyBody {
  /** The key itself. This is the only time that it is shown. */
  @ApiProperty({ example: 'gh_3mT9xQ…' })
  key!: string;
}

export class ApiKeyPage {
  @ApiProperty({ type: [ApiKeyBody] })
  items!: ApiKeyBody[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

/** A key as the native API shows it. */
export function apiKeyBody(apiKey: ApiKey): ApiKeyBody {
  const ends = [apiKey.expiresAt, apiKey.retiresAt].filter((end) => end !== null).map((end) => end.getTime());
  return {
    id: apiKey.id,
    name: apiKey.name,
    prefix: apiKey.prefix,
    scopes: apiKey.scopes,
    resource: resourceOf(apiKey),
    expiresAt: ends.length === 0 ? null : new Date(Math.min(...ends)).toISOString(),
    lastUsedAt: apiKey.lastUsedAt?.toISOString() ?? null,
    revokedAt: apiKey.revokedAt?.toISOString() ?? null,
    createdAt: apiKey.createdAt.toISOString(),
    userId: apiKey.userId,
  };
}
