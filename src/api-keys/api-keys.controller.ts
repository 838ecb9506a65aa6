import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiNotFoundResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiKeyOnly, CurrentPrincipal, type Principal, RequireScopes } from '../access/index.js';
import { type Client, CurrentClient, ProblemDetails, UuidParam } from '../http/index.js';
import {
  apiKeyBody, ApiKeyBody, ApiKeyPage, ApiKeysQuery, CreateApiKeyBody, IssuedApiKeyBody, RotateApiKeyBody, UpdateApiKeyBody,
} from './api-keys.dto.js';
import { ApiKeysService, type IssuedApiKey } from './api-keys.service.js';

@ApiTags('API keys')
@Controller('api-keys')
export class ApiKeysController {
  constructor(private readonly apiKeys: ApiKeysService) {}

  /** Makes a key. The answer is the only place where the key itself is shown. */
  @Post()
  @RequireScopes('api-keys:write')
  @ApiCreatedResponse({ type: IssuedApiKeyBody })
  async create(
    @Body() body: CreateApiKeyBody,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<IssuedApiKeyBody> {
    const { name, scopes, expiresAt = null, resource = null } = body;
    return issuedBody(await this.apiKeys.create(principal, { name, scopes, expiresAt, resource }, client));
  }

  /** Your keys, newest first, revoked ones included; administrators may ask for anybody's. */
  @Get()
  @RequireScopes('api-keys:write')
  @ApiOkResponse({ type: ApiKeyPage })
  async list(@Query() query: ApiKeysQuery, @CurrentPrincipal() principal: Principal): Promise<ApiKeyPage> {
    const { userId } = query;
    const owner = userId === undefined ? ({ own: true } as const) : userId === 'none' ? ({ instance: true } as const) : { userId };
    const page = await this.apiKeys.find(principal, owner, query);
    return { items: page.items.map(apiKeyBody), nextCursor: page.nextCursor };
  }

  /** What the key in use is, and what it may do. */
  @Get('current')
  @ApiKeyOnly()
  @ApiOkResponse({ type: ApiKeyBody })
  async current(@CurrentPrincipal() principal: Principal): Promise<ApiKeyBody> {
    return apiKeyBody(await this.apiKeys.getCurrent(principal));
  }

  /** One key. */
  @Get(':id')
  @RequireScopes('api-keys:write')
  @ApiOkResponse({ type: ApiKeyBody })
  @ApiNotFoundResponse({ type: ProblemDetails })
  async get(@Param('id', UuidParam) id: string, @CurrentPrincipal() principal: Principal): Promise<ApiKeyBody> {
    return apiKeyBody(await this.apiKeys.get(principal, id));
  }

  /** Changes a key's name, scopes or end. */
  @Patch(':id')
  @RequireScopes('api-keys:write')
  @ApiOkResponse({ type: ApiKeyBody })
  @ApiNotFoundResponse({ type: ProblemDetails })
  async update(
    @Param('id', UuidParam) id: string,
    @Body() body: UpdateApiKeyBody,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<ApiKeyBody> {
    return apiKeyBody(await this.apiKeys.update(principal, id, { ...body }, client));
  }

  /** Revokes a key at once. Revoking it again changes nothing. */
  @Delete(':id')
  @RequireScopes('api-keys:write')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: ProblemDetails })
  async revoke(
    @Param('id', UuidParam) id: string,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<void> {
    await this.apiKeys.revoke(principal, id, client);
  }

  /** Replaces a key by a new one with the same rights; the old one may stay good for a while. */
  @Post(':id/rotate')
  @RequireScopes('api-keys:write')
  @ApiCreatedResponse({ type: IssuedApiKeyBody })
  @ApiNotFoundResponse({ type: ProblemDetails, description: 'No such key, or it has ended' })
  async rotate(
    @Param('id', UuidParam) id: string,
    @Body() body: RotateApiKeyBody,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<IssuedApiKeyBody> {
    return issuedBody(await this.apiKeys.rotate(principal, id, body.overlapSeconds ?? 0, client));
  }
}

function issuedBody({ apiKey, key }: IssuedApiKey): IssuedApiKeyBody {
  return { ...apiKeyBody(apiKey), key };
}
