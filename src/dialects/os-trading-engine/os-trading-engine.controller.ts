import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiForbiddenResponse, ApiOkResponse, ApiResponse, ApiTags, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentPrincipal, Public, type UserPrincipal } from '../../access/index.js';
import { AuthService, DeviceCookie, RateLimited } from '../../auth/index.js';
import { type Client, CurrentClient } from '../../http/index.js';
import { readLogin, readOptionalRefreshToken, readRefreshToken } from './os-trading-engine.bodies.js';
import { tokenPolicy } from './os-trading-engine.dialect.js';
import {
  OsTradingEngineErrorBody, OsTradingEngineLoggedOutBody, OsTradingEngineLoginBody, OsTradingEngineLogoutBody,
  OsTradingEngineRefreshBody, OsTradingEngineSignInBody, OsTradingEngineTokens, osTradingEngineUser, OsTradingEngineUser,
} from './os-trading-engine.dto.js';

@ApiTags('OS Trading Engine')
@Controller('api/v1/auth')
export class OsTradingEngineAuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly devices: DeviceCookie,
  ) {}

  /** Signs in. Five wrong passwords in a row lock the account for a while. */
  @Post('login')
  @HttpCode(200)
  @Public()
  @RateLimited()
  @ApiBody({ type: OsTradingEngineLoginBody })
  @ApiOkResponse({ type: OsTradingEngineSignInBody })
  @ApiUnauthorizedResponse({ type: OsTradingEngineErrorBody, description: 'Unknown email or wrong password: `invalid_credentials`' })
  @ApiForbiddenResponse({ type: OsTradingEngineErrorBody, description: 'The password is right, but the account is disabled: `account_disabled`' })
  @ApiResponse({ status: 423, type: OsTradingEngineErrorBody, description: 'Too many wrong passwords: `account_locked`' })
  async login(
    @Body() body: unknown,
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OsTradingEngineSignInBody> {
    const { email: identifier, password, rememberMe } = readLogin(body);
    const credentials = { identifier, password, deviceOf: this.devices.reader(request) };
    const { accessToken, refreshToken, user } = await this.auth.login(credentials, tokenPolicy(rememberMe), client);
    this.devices.remember(request, reply, user.id);
    return { accessToken, refreshToken, user: osTradingEngineUser(user) };
  }

  /** A new access token. The refresh token stays the same. */
  @Post('refresh')
  @HttpCode(200)
  @Public()
  @RateLimited()
  @ApiBody({ type: OsTradingEngineRefreshBody })
  @ApiOkResponse({ type: OsTradingEngineTokens })
  @ApiUnauthorizedResponse({ type: OsTradingEngineErrorBody, description: 'Bad, expired or revoked: `invalid_grant`' })
  async refresh(@Body() body: unknown, @CurrentClient() client: Client): Promise<OsTradingEngineTokens> {
    const { accessToken, refreshToken } = await this.auth.refresh(readRefreshToken(body), tokenPolicy(false), client);
    return { accessToken, refreshToken };
  }

  /** Who is signed in. */
  @Get('me')
  @ApiOkResponse({ type: OsTradingEngineUser })
  async me(@CurrentPrincipal() principal: UserPrincipal): Promise<OsTradingEngineUser> {
    return osTradingEngineUser(await this.auth.account(principal));
  }

  /** Ends this session: its access and refresh tokens are refused from the answer on. The body may be left out. */
  @Post('logout')
  @HttpCode(200)
  @ApiBody({ type: OsTradingEngineLogoutBody, required: false })
  @ApiOkResponse({ type: OsTradingEngineLoggedOutBody })
  async logout(
    @Body() body: unknown,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<OsTradingEngineLoggedOutBody> {
    await this.auth.logout(principal, client, readOptionalRefreshToken(body));
    return { success: true, message: 'Logged out successfully' };
  }
}
