import { Body, Controller, HttpStatus, Post, Res } from '@nestjs/common';
import {
  ApiConflictResponse, ApiCreatedResponse, ApiForbiddenResponse, ApiOkResponse, ApiTags, ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../access/index.js';
import { RateLimited } from '../auth/index.js';
import { type Client, CurrentClient, ProblemDetails } from '../http/index.js';
import { userBody, UserBody } from '../users/index.js';
import { SetupBody } from './setup.dto.js';
import { SetupService } from './setup.service.js';

@ApiTags('Set-up')
@Controller('setup')
export class SetupController {
  constructor(private readonly setup: SetupService) {}

  /**
   * Makes the owner with the token that the server printed when it first started. With one of `gatehouse owner recover`,
   * sets the password of the account that it is for. Works once.
   */
  @Post()
  @Public()
  @RateLimited()
  @ApiCreatedResponse({ type: UserBody, description: 'There is a new owner' })
  @ApiOkResponse({ type: UserBody, description: 'The account has its new password; it was signed out everywhere' })
  @ApiUnauthorizedResponse({ type: ProblemDetails, description: 'The token is wrong' })
  @ApiForbiddenResponse({ type: ProblemDetails, description: '`setup_completed`: there is an owner already, or the token was used' })
  @ApiConflictResponse({ type: ProblemDetails, description: '`email_taken` or `username_taken`' })
  async claim(
    @Body() body: SetupBody,
    @CurrentClient() client: Client,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserBody> {
    const { token, email = null, username = null, password, name = null } = body;
    const { user, recovered } = await this.setup.claim(token, { email, username, password, name }, client);
    if (recovered) void reply.status(HttpStatus.OK);
    return userBody({ user, lockedUntil: null });
  }
}
