import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  ApiBody, ApiCreatedResponse, ApiNoContentResponse, ApiNotFoundResponse, ApiOkResponse, ApiParam, ApiQuery, ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import { ApiKeyOnly, CurrentPrincipal, type Principal, type UserPrincipal } from '../../access/index.js';
import { type Client, CurrentClient } from '../../http/index.js';
import {
  ChatOpsApiKey, chatOpsApiKey, ChatOpsApiKeyRequest, ChatOpsCurrentApiKey, ChatOpsIssuedApiKey, chatOpsIssuedApiKey, isActive,
} from './api-keys.dto.js';
import { ChatOpsError, ChatOpsValidationError } from './chatops-errors.js';
import { flag, futureTime, named, optional, readFields, readPathId, required, uuid } from './request-fields.js';
import { ServerKeys } from './server-keys.js';

@ApiTags('ChatOps: API keys')
@ApiUnprocessableEntityResponse({ type: ChatOpsValidationError })
@Controller('api/v1/api-keys')
export class ChatOpsApiKeysController {
  constructor(private readonly keys: ServerKeys) {}

  /** Makes a key for the agent of a server. The answer is the only place where the key itself is shown. */
  @Post()
  @ApiBody({ type: ChatOpsApiKeyRequest })
  @ApiCreatedResponse({ type: ChatOpsIssuedApiKey })
  @ApiNotFoundResponse({ type: ChatOpsError, description: 'Server not found' })
  async create(
    @Body() body: unknown,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<ChatOpsIssuedApiKey> {
    const fields = readFields('body', body, { server_id: required(uuid), name: optional(named(100)), expires_at: optional(futureTime) });
    const request = { serverId: fields.server_id, name: fields.name ?? 'API key', expiresAt: fields.expires_at ?? null };
    return chatOpsIssuedApiKey(await this.keys.create(principal, request, client));
  }

  /** What the key in use is. */
  @Get('me')
  @ApiKeyOnly()
  @ApiOkResponse({ type: ChatOpsCurrentApiKey })
  async current(@CurrentPrincipal() principal: Principal): Promise<ChatOpsCurrentApiKey> {
    const { apiKey, server } = await this.keys.getCurrent(principal);
    return { server_id: server.id, key_id: apiKey.id, name: apiKey.name, is_active: isActive(apiKey) };
  }

  /** The keys of a server, newest first. */
  @Get('server/:server_id')
  @ApiParam({ name: 'server_id', format: 'uuid' })
  @ApiQuery({ name: 'active_only', type: Boolean, required: false })
  @ApiOkResponse({ type: [ChatOpsApiKey] })
  @ApiNotFoundResponse({ type: ChatOpsError, description: 'Server not found' })
  async list(
    @Param('server_id') id: string,
    @Query() query: unknown,
    @CurrentPrincipal() principal: UserPrincipal,
  ): Promise<ChatOpsApiKey[]> {
    const serverId = readPathId('server_id', id);
    const { active_only: activeOnly } = readFields('query', query, { active_only: optional(flag) });
    const keys = await this.keys.find(principal, serverId);
    return keys.filter((apiKey) => activeOnly !== true || isActive(apiKey)).map(chatOpsApiKey);
  }

  /** Ends a key at once; it stays in the list. */
  @Post(':key_id/deactivate')
  @HttpCode(200)
  @RouteConfig({ ignoresBody: true })
  @ApiParam({ name: 'key_id', format: 'uuid' })
  @ApiOkResponse({ type: ChatOpsApiKey })
  @ApiNotFoundResponse({ type: ChatOpsError, description: 'API key not found' })
  async deactivate(
    @Param('key_id') id: string,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<ChatOpsApiKey> {
    return chatOpsApiKey(await this.keys.deactivate(principal, readPathId('key_id', id), client));
  }

  /** Deletes a key, which ends it at once. */
  @Delete(':key_id')
  @HttpCode(204)
  @RouteConfig({ ignoresBody: true })
  @ApiParam({ name: 'key_id', format: 'uuid' })
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: ChatOpsError, description: 'API key not found' })
  async remove(
    @Param('key_id') id: string,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<void> {
    await this.keys.remove(principal, readPathId('key_id', id), client);
  }
}
