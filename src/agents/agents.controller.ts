import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiResponse, ApiServiceUnavailableResponse, ApiTags, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../access/index.js';
import { ProblemDetails } from '../http/index.js';
import { AgentGateway, type AgentWire } from './agent-gateway.js';

const NATIVE: AgentWire = {
  welcome: ({ apiKeyId, resource }) => ({ type: 'auth_success', apiKeyId, resource, message: 'Connected successfully' }),
};

@ApiTags('Agents')
@Controller('agents')
export class AgentsController {
  constructor(private readonly agents: AgentGateway) {}

  /**
   * Connects an agent: a WebSocket. With a key in `X-API-Key`, `{"type":"auth_success"}` comes unasked; without one the
   * first message must be `{"type":"auth","api_key":"…"}`, within 10 seconds. The key needs the scope `agents:connect`.
   */
  @Get('ws')
  @Public()
  @ApiResponse({ status: 101, description: 'The connection is a WebSocket from here on' })
  @ApiUnauthorizedResponse({ type: ProblemDetails, description: '`invalid_api_key`' })
  @ApiResponse({ status: 403, type: ProblemDetails, description: '`insufficient_scope`: the key lacks `agents:connect`' })
  @ApiResponse({ status: 429, type: ProblemDetails, description: 'Too many connections from this address that bring no key' })
  @ApiResponse({ status: 426, type: ProblemDetails, description: '`upgrade_required`: not a WebSocket handshake' })
  @ApiServiceUnavailableResponse({ type: ProblemDetails })
  connect(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.agents.accept(request, reply, NATIVE);
  }
}
