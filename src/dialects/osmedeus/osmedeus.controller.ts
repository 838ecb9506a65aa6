import { Body, Controller, Get, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBadRequestResponse, ApiBody, ApiForbiddenResponse, ApiOkResponse, ApiResponse, ApiTags, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentPrincipal, type Principal, Public, RequireScopes, type UserPrincipal } from '../../access/index.js';
import { AuthService, DeviceCookie, OptionalAccessToken, personBehind, RateLimited, type SignIn } from '../../auth/index.js';
import { Settings } from '../../config/index.js';
import { AuthError } from '../../errors/index.js';
import { type Client, CurrentClient } from '../../http/index.js';
import { fieldsOf } from '../dialect.js';
import { OsmedeusErrorBody, OsmedeusLoginBody, OsmedeusMessageBody, OsmedeusTokenBody, OsmedeusUserBody } from './osmedeus.dto.js';
import { osmedeusPolicy, usernameOf } from './osmedeus.policy.js';
import { clearSessionCookie, isSameOrigin, readSessionCookie, setSessionCookie } from './session-cookie.js';

/** Whom the wire names where a key of the instance itself asks, which has no user. */
const INSTANCE = 'api-key';

@ApiTags('Osmedeus')
@Controller('osm/api')
export class OsmedeusController {
  constructor(
    private readonly auth: AuthService,
    private readonly devices: DeviceCookie,
    private readonly settings: Settings,
  ) {}

  /** Signs in. The token is also set as the cookie `osmedeus_session`. */
  @Post('login')
  @HttpCode(200)
  @Public()
  @RateLimited()
  @ApiBody({ type: OsmedeusLoginBody })
  @ApiOkResponse({ type: OsmedeusTokenBody })
  @ApiBadRequestResponse({ type: OsmedeusErrorBody, description: 'Invalid request body' })
  @ApiUnauthorizedResponse({ type: OsmedeusErrorBody, description: 'Invalid credentials' })
  @ApiForbiddenResponse({ type: OsmedeusErrorBody, description: 'The password is right, but the account is disabled: `account_disabled`' })
  @ApiResponse({ status: 423, type: OsmedeusErrorBody, description: 'Too many wrong passwords; see `Retry-After`' })
  async login(
    @Body() body: unknown,
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OsmedeusTokenBody> {
    const policy = osmedeusPolicy(this.settings);
    const signIn = this.settings.authDisabled
      ? await this.auth.admitAnybody(request, policy)
      : await this.signIn(request, reply, credentialsOf(body), client);
    setSessionCookie(request, reply, signIn.accessToken, signIn.expiresIn);
    return { token: signIn.accessToken };
  }

  /** Signs out: clears the cookie, and ends the sessions of the tokens that came along, in the header and in the cookie. */
  @Post('logout')
  @HttpCode(200)
  @Public()
  @UseGuards(OptionalAccessToken)
  @RouteConfig({ ignoresBody: true })
  @ApiOkResponse({ type: OsmedeusMessageBody })
  async logout(
    @CurrentPrincipal() principal: Principal | undefined,
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OsmedeusMessageBody> {
    if (principal?.type === 'user') await this.auth.logout(principal, client);
    // Beside the header the cookie has not been looked at. If it was the one, nobody is behind it any more.
    const other = await this.personOfCookie(request, reply);
    if (other !== null) await this.auth.logout(other, client);
    // Somebody else's page signs nobody out.
    if (isSameOrigin(request)) clearSessionCookie(request, reply);
    return { message: 'Logged out successfully' };
  }

  /** Who is asking: by API key, token or cookie. */
  @Get('user')
  @RequireScopes('user:read')
  @ApiOkResponse({ type: OsmedeusUserBody })
  async user(@CurrentPrincipal() principal: Principal): Promise<OsmedeusUserBody> {
    const user = await this.auth.accountBehind(principal);
    return { username: user === null ? INSTANCE : usernameOf(user) };
  }

  private async personOfCookie(request: FastifyRequest, reply: FastifyReply): Promise<UserPrincipal | null> {
    const token = this.settings.authDisabled ? null : readSessionCookie(request);
    return token === null ? null : personBehind(token, request, reply);
  }

  private async signIn(
    request: FastifyRequest,
    reply: FastifyReply,
    { username, password }: OsmedeusLoginBody,
    client: Client,
  ): Promise<SignIn> {
    const credentials = { identifier: username, password, deviceOf: this.devices.reader(request) };
    const signIn = await this.auth.login(credentials, osmedeusPolicy(this.settings), client);
    this.devices.remember(request, reply, signIn.user.id);
    return signIn;
  }
}

/** @throws AuthError `validation_failed` unless both are texts, of whatever length */
function credentialsOf(body: unknown): OsmedeusLoginBody {
  const { username, password } = fieldsOf(body);
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  throw new AuthError('validation_failed', { detail: 'Invalid request body' });
}
