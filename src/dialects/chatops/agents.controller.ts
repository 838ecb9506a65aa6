import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiResponse, ApiServiceUnavailableResponse, ApiTags, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../../access/index.js';
import { AgentGateway, type AgentWire } from '../../agents/index.js';
import { ChatOpsError } from './chatops-errors.js';
import { ServerKeys } from './server-keys.js';

@ApiTags('ChatOps: agents')
@Controller('api/v1/agents')
export class ChatOpsAgentsController {
  private readonly wire: AgentWire = {
    welcome: async ({ userId, resource }) => {
      const { id } = await this.keys.serverOf(userId, resource);
      return { type: 'auth_success', server_id: id, message: 'Connected successfully' };
    },
  };

  constructor(
    private readonly agents: AgentGateway,
    private readonly keys: ServerKeys,
  ) {}

  /** Connects the agent of a server: a WebSocket, whose first message must be `{"type":"auth","api_key":"…"}`, within 10 seconds. */
  @Get('ws')
  @Public()
  @ApiResponse({ status: 101, description: 'The connection is a WebSocket from here on' })
  @ApiUnauthorizedResponse({ type: ChatOpsError, description: 'The key in `X-API-Key`, where one is sent, is not good' })
  @ApiResponse({ status: 426, type: ChatOpsError, description: 'Not a WebSocket handshake' })
  @ApiServiceUnavailableResponse({ type: ChatOpsError })
  connect(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.agents.accept(request, reply, this.wire);
  }
}
