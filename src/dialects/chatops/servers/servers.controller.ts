import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  ApiBody, ApiCreatedResponse, ApiNoContentResponse, ApiNotFoundResponse, ApiOkResponse, ApiParam, ApiTags, ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import { CurrentPrincipal, type UserPrincipal } from '../../../access/index.js';
import { type Client, CurrentClient } from '../../../http/index.js';
import { ChatOpsError, ChatOpsValidationError } from '../chatops-errors.js';
import { anyObject, line, named, optional, port, readFields, readPathId, required } from '../request-fields.js';
import { ChatOpsServer, chatOpsServer, ChatOpsServerBody, ChatOpsServerChange } from './servers.dto.js';
import { type ServerFields, ServersService } from './servers.service.js';

const FIELDS = { name: required(named(200)), host: optional(line(255)), port: optional(port), metadata: optional(anyObject) };
/** `null` would empty what is no field of a nameless server. */
const CHANGES = { ...FIELDS, name: (value: unknown) => (value === undefined ? undefined : named(200)(value)) };

@ApiTags('ChatOps: servers')
@ApiUnprocessableEntityResponse({ type: ChatOpsValidationError })
@Controller('api/v1/servers')
export class ServersController {
  constructor(private readonly servers: ServersService) {}

  /** Your servers, newest first. */
  @Get()
  @ApiOkResponse({ type: [ChatOpsServer] })
  async list(@CurrentPrincipal() { userId }: UserPrincipal): Promise<ChatOpsServer[]> {
    return (await this.servers.find(userId)).map(chatOpsServer);
  }

  /** Adds a server. */
  @Post()
  @ApiBody({ type: ChatOpsServerBody })
  @ApiCreatedResponse({ type: ChatOpsServer })
  async create(@Body() body: unknown, @CurrentPrincipal() { userId }: UserPrincipal): Promise<ChatOpsServer> {
    const { name, host = null, port: portNumber = null, metadata } = readFields('body', body, FIELDS);
    const fields: ServerFields = { name, host, port: portNumber, metadata: metadata ?? {} };
    return chatOpsServer(await this.servers.create(userId, fields));
  }

  /** One server. */
  @Get(':server_id')
  @ApiParam({ name: 'server_id', format: 'uuid' })
  @ApiOkResponse({ type: ChatOpsServer })
  @ApiNotFoundResponse({ type: ChatOpsError })
  async get(@Param('server_id') id: string, @CurrentPrincipal() { userId }: UserPrincipal): Promise<ChatOpsServer> {
    return chatOpsServer(await this.servers.getView(userId, readPathId('server_id', id)));
  }

  /** Changes a server; what is left out stays as it is. */
  @Put(':server_id')
  @ApiParam({ name: 'server_id', format: 'uuid' })
  @ApiBody({ type: ChatOpsServerChange })
  @ApiOkResponse({ type: ChatOpsServer })
  @ApiNotFoundResponse({ type: ChatOpsError })
  async update(
    @Param('server_id') id: string,
    @Body() body: unknown,
    @CurrentPrincipal() { userId }: UserPrincipal,
  ): Promise<ChatOpsServer> {
    const serverId = readPathId('server_id', id);
    const change = readFields('body', body, CHANGES);
    const given = Object.entries({ ...change, ...(change.metadata === null ? { metadata: {} } : {}) });
    const fields = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Partial<ServerFields>;
    return chatOpsServer(await this.servers.update(userId, serverId, fields));
  }

  /** Deletes a server and its keys; its agents are sent away. */
  @Delete(':server_id')
  @HttpCode(204)
  @RouteConfig({ ignoresBody: true })
  @ApiParam({ name: 'server_id', format: 'uuid' })
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: ChatOpsError })
  async remove(
    @Param('server_id') id: string,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<void> {
    await this.servers.remove(principal, readPathId('server_id', id), client);
  }
}
