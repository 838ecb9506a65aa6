import { Body, Controller, Post } from '@nestjs/common';
import { ApiConflictResponse, ApiCreatedResponse, ApiForbiddenResponse, ApiTags, ApiUnauthorizedResponse } from '@nestjs/swagger';
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

  /** Makes the owner with the token that the server printed when it first started. Works once. */
  @Post()
  @Public()
  @RateLimited()
  @ApiCreatedResponse({ type: UserBody })
  @ApiUnauthorizedResponse({ type: ProblemDetails, description: 'The token is wrong' })
  @ApiForbiddenResponse({ type: ProblemDetails, description: '`setup_completed`: there is an owner already' })
  @ApiConflictResponse({ type: ProblemDetails, description: '`email_taken` or `username_taken`' })
  async claim(@Body() body: SetupBody, @CurrentClient() client: Client): Promise<UserBody> {
    const { token, email = null, username = null, password, name = null } = body;
    const user = await this.setup.claim(token, { email, username, password, name }, client);
    return userBody({ user, lockedUntil: null });
  }
}
