import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiNoContentResponse, ApiNotFoundResponse, ApiOkResponse, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { CurrentPrincipal, type UserPrincipal, WithAccount } from '../access/index.js';
import { type Client, CurrentClient, PageQuery, ProblemDetails, UuidParam } from '../http/index.js';
import { sessionBody, SessionPage, SessionsService } from '../sessions/index.js';
import { OwnAccount, userBody, UserBody, UsersService } from '../users/index.js';
import { ChangePasswordBody, UpdateMeBody } from './account.dto.js';
import { AuthService } from './auth.service.js';
import { NoAuthentication } from './no-authentication.js';
import { RateLimited } from './rate-limit.js';

@ApiTags('Account')
@Controller('auth')
export class AccountController {
  constructor(
    private readonly auth: AuthService,
    private readonly users: UsersService,
    private readonly ownAccount: OwnAccount,
    private readonly sessions: SessionsService,
    private readonly noAuthentication: NoAuthentication,
  ) {}

  /** Who is signed in, fresh from the database. */
  @Get('me')
  @WithAccount()
  @ApiOkResponse({ type: UserBody })
  async me(@Req() { account }: FastifyRequest, @CurrentPrincipal() principal: UserPrincipal): Promise<UserBody> {
    return userBody(account ?? this.noAuthentication.anonymous(principal) ?? (await this.users.getView(principal.userId)));
  }

  /** Changes your name, username or email; a new email needs the current password. */
  @Patch('me')
  @RateLimited()
  @ApiOkResponse({ type: UserBody })
  @ApiConflictResponse({ type: ProblemDetails, description: '`email_taken` or `username_taken`' })
  @ApiResponse({ status: 423, type: ProblemDetails, description: 'Too many wrong current passwords in this session' })
  async update(
    @Body() body: UpdateMeBody,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<UserBody> {
    await this.ownAccount.update(principal, { ...body }, client);
    return userBody(await this.users.getView(principal.userId));
  }

  /** Changes your password and ends every other session. */
  @Post('me/password')
  @HttpCode(204)
  @RateLimited()
  @ApiNoContentResponse()
  @ApiResponse({ status: 423, type: ProblemDetails, description: 'Too many wrong current passwords in this session' })
  async changePassword(
    @Body() body: ChangePasswordBody,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<void> {
    await this.ownAccount.changePassword(principal, body.currentPassword, body.newPassword, client);
  }

  /** Where you are signed in, newest first. */
  @Get('sessions')
  @ApiOkResponse({ type: SessionPage })
  async listSessions(@Query() query: PageQuery, @CurrentPrincipal() principal: UserPrincipal): Promise<SessionPage> {
    const page = await this.sessions.findLive(principal.userId, query);
    return {
      items: page.items.map((session) => sessionBody(session, principal.sessionId)),
      nextCursor: page.nextCursor,
    };
  }

  /** Signs you out everywhere else. */
  @Delete('sessions')
  @HttpCode(204)
  @ApiNoContentResponse()
  async endOtherSessions(@CurrentPrincipal() principal: UserPrincipal, @CurrentClient() client: Client): Promise<void> {
    await this.auth.endOtherSessions(principal, client);
  }

  /** Ends one of your sessions. */
  @Delete('sessions/:id')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: ProblemDetails })
  async endSession(
    @Param('id', UuidParam) id: string,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<void> {
    await this.sessions.revoke(principal.userId, id, client);
  }
}
