import { Body, Controller, Get, HttpCode, Post, Put, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  ApiBadRequestResponse, ApiBody, ApiConsumes, ApiCreatedResponse, ApiForbiddenResponse, ApiOkResponse, ApiResponse, ApiTags,
  ApiUnauthorizedResponse, ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentPrincipal, Public, type UserPrincipal } from '../../access/index.js';
import { AuthService, DeviceCookie, RateLimited, type SignIn } from '../../auth/index.js';
import { Settings } from '../../config/index.js';
import { AuthError } from '../../errors/index.js';
import { type Client, CurrentClient, isForm } from '../../http/index.js';
import { OwnAccount } from '../../users/index.js';
import {
  ChatOpsAccessToken, ChatOpsLoginForm, ChatOpsMessage, ChatOpsPasswordBody, ChatOpsProfileBody, ChatOpsRefreshBody,
  ChatOpsRegisterBody, ChatOpsTokens, ChatOpsUser, chatOpsUser,
} from './auth.dto.js';
import { ChatOpsError, ChatOpsValidationError } from './chatops-errors.js';
import { CHATOPS_POLICY, PASSWORD_MIN_LENGTH } from './chatops-policy.js';
import { email, filled, line, optional, readFields, required, requireSame, text, username } from './request-fields.js';

const FORM = 'application/x-www-form-urlencoded';

@ApiTags('ChatOps: authentication')
@ApiUnprocessableEntityResponse({ type: ChatOpsValidationError })
@Controller('api/v1/auth')
export class ChatOpsAuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly account: OwnAccount,
    private readonly devices: DeviceCookie,
    private readonly settings: Settings,
  ) {}

  /** Makes an account and signs it in. */
  @Post('register')
  @Public()
  @RateLimited()
  @ApiBody({ type: ChatOpsRegisterBody })
  @ApiCreatedResponse({ type: ChatOpsTokens })
  @ApiBadRequestResponse({ type: ChatOpsError, description: 'The email address or the user name is taken' })
  @ApiForbiddenResponse({ type: ChatOpsError, description: 'Registration is disabled' })
  async register(
    @Body() body: unknown,
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ChatOpsTokens> {
    if (this.settings.registration !== 'open') throw new AuthError('registration_closed');
    const fields = readFields('body', body, {
      email: required(email),
      username: required(username),
      password: required(text),
      password_confirm: required(text),
      full_name: optional(line(200)),
    });
    requireSame('password_confirm', fields.password_confirm, fields.password);
    const account = { email: fields.email, username: fields.username, name: emptyIsNone(fields.full_name), password: fields.password };
    const signIn = await this.auth.register(account, CHATOPS_POLICY, client, PASSWORD_MIN_LENGTH);
    this.devices.remember(request, reply, signIn.user.id);
    return tokens(signIn);
  }

  /** Signs in with a form, as the password flow of OAuth 2.0 does. */
  @Post('login')
  @HttpCode(200)
  @Public()
  @RateLimited()
  @RouteConfig({ acceptsForm: true })
  @ApiConsumes(FORM)
  @ApiBody({ type: ChatOpsLoginForm })
  @ApiOkResponse({ type: ChatOpsTokens })
  @ApiUnauthorizedResponse({ type: ChatOpsError, description: 'Incorrect email or password' })
  @ApiResponse({ status: 423, type: ChatOpsError, description: 'Too many failed attempts' })
  async login(
    @Body() body: unknown,
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ChatOpsTokens> {
    // JSON is not read here: its fields are missing.
    const form = isForm(request) ? body : {};
    const { username: identifier, password } = readFields('body', form, { username: required(filled), password: required(filled) });
    const credentials = { identifier, password, deviceOf: this.devices.reader(request) };
    const signIn = await this.auth.login(credentials, CHATOPS_POLICY, client);
    this.devices.remember(request, reply, signIn.user.id);
    return tokens(signIn);
  }

  /** Gives a new access token; the refresh token stays the same. */
  @Post('refresh')
  @HttpCode(200)
  @Public()
  @RateLimited()
  @ApiBody({ type: ChatOpsRefreshBody })
  @ApiOkResponse({ type: ChatOpsAccessToken })
  @ApiUnauthorizedResponse({ type: ChatOpsError, description: 'Invalid refresh token' })
  async refresh(@Body() body: unknown, @CurrentClient() client: Client): Promise<ChatOpsAccessToken> {
    const { refresh_token: refreshToken } = readFields('body', body, { refresh_token: required(text) });
    const { accessToken } = await this.auth.refresh(refreshToken, CHATOPS_POLICY, client);
    return { access_token: accessToken, token_type: 'bearer' };
  }

  /** Who is signed in. */
  @Get('me')
  @ApiOkResponse({ type: ChatOpsUser })
  async me(@CurrentPrincipal() principal: UserPrincipal): Promise<ChatOpsUser> {
    return chatOpsUser(await this.auth.account(principal));
  }

  /** Changes your name. */
  @Put('me')
  @ApiBody({ type: ChatOpsProfileBody })
  @ApiOkResponse({ type: ChatOpsUser })
  async update(
    @Body() body: unknown,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<ChatOpsUser> {
    const { full_name: name } = readFields('body', body, { full_name: optional(line(200)) });
    if (name !== undefined) await this.account.update(principal, { name: emptyIsNone(name) }, client);
    return this.me(principal);
  }

  /** Changes your password and ends your other sessions. */
  @Post('change-password')
  @HttpCode(200)
  @RateLimited()
  @ApiBody({ type: ChatOpsPasswordBody })
  @ApiOkResponse({ type: ChatOpsMessage })
  @ApiBadRequestResponse({ type: ChatOpsError, description: 'Current password is incorrect' })
  @ApiResponse({ status: 423, type: ChatOpsError, description: 'Too many wrong current passwords in this session' })
  async changePassword(
    @Body() body: unknown,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<ChatOpsMessage> {
    const fields = readFields('body', body, {
      current_password: required(text),
      new_password: required(text),
      new_password_confirm: required(text),
    });
    requireSame('new_password_confirm', fields.new_password_confirm, fields.new_password);
    await this.account.changePassword(principal, fields.current_password, fields.new_password, client, PASSWORD_MIN_LENGTH);
    return { message: 'Password changed successfully' };
  }

  /** Ends this session: its access and refresh tokens are refused from the answer on. */
  @Post('logout')
  @HttpCode(200)
  @RouteConfig({ ignoresBody: true })
  @ApiOkResponse({ type: ChatOpsMessage })
  async logout(@CurrentPrincipal() principal: UserPrincipal, @CurrentClient() client: Client): Promise<ChatOpsMessage> {
    await this.auth.logout(principal, client);
    return { message: 'Logged out successfully' };
  }
}

function tokens({ user, accessToken, refreshToken }: SignIn): ChatOpsTokens {
  return { user: chatOpsUser(user), access_token: accessToken, refresh_token: refreshToken, token_type: 'bearer' };
}

/** Forms send an empty text for a name that nobody filled in. */
function emptyIsNone(name: string | null | undefined): string | null {
  return name === undefined || name === '' ? null : name;
}
