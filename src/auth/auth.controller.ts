import { Body, type CanActivate, Controller, Get, HttpCode, Injectable, Post, Req, Res, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  ApiBody, ApiConflictResponse, ApiConsumes, ApiCreatedResponse, ApiForbiddenResponse, ApiNoContentResponse, ApiOkResponse,
  ApiResponse, ApiServiceUnavailableResponse, ApiTags, ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentPrincipal, Public, type UserPrincipal } from '../access/index.js';
import { Settings } from '../config/index.js';
import { AuthError } from '../errors/index.js';
import { type Client, CurrentClient, isForm, ProblemDetails } from '../http/index.js';
import { userBody, UsersService } from '../users/index.js';
import { AuthStatusBody, LoginBody, RefreshBody, RegisterBody, SignInBody, TokensBody } from './auth.dto.js';
import { AuthService, type SignIn, type Tokens } from './auth.service.js';
import { DeviceCookie } from './device-cookie.js';
import { LocalAuthGuard } from './local-auth.guard.js';
import { RateLimited } from './rate-limit.js';
import { nativePolicy } from './token-policy.js';

/** One identifier each: all three together are refused. */
const LOGIN_EXAMPLES = {
  email: { summary: 'By email address', value: { email: 'ada@example.com', password: 'three-random-words-42' } },
  username: { summary: 'By username', value: { username: 'ada', password: 'three-random-words-42', rememberMe: true } },
};

/** Refuses before the body is looked at: nobody should fill in a form for nothing. */
@Injectable()
class RegistrationGuard implements CanActivate {
  constructor(private readonly settings: Settings) {}

  canActivate(): boolean {
    if (this.settings.registration !== 'open') throw new AuthError('registration_closed');
    return true;
  }
}

@ApiTags('Authentication')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly users: UsersService,
    private readonly devices: DeviceCookie,
    private readonly settings: Settings,
  ) {}

  /** Whether the instance has an owner, and whether authentication is on. */
  @Get('status')
  @Public()
  @ApiOkResponse({ type: AuthStatusBody })
  @ApiServiceUnavailableResponse({ type: ProblemDetails })
  async status(): Promise<AuthStatusBody> {
    const { authDisabled } = this.settings;
    return {
      setupComplete: await this.users.hasOwner(),
      authenticationEnabled: !authDisabled,
      mode: authDisabled ? 'disabled' : 'local',
    };
  }

  /**
   * Signs in with an email address or a username, as JSON or as a form (OAuth 2.0 password flow). Five wrong passwords
   * in a row lock the account for a while.
   */
  @Post('login')
  @HttpCode(200)
  @Public()
  // Guards run from the lowest decorator upwards: the limit comes first.
  @UseGuards(LocalAuthGuard)
  @RateLimited()
  @RouteConfig({ acceptsForm: true })
  @ApiConsumes('application/json', 'application/x-www-form-urlencoded')
  @ApiBody({ type: LoginBody, examples: LOGIN_EXAMPLES })
  @ApiOkResponse({ type: SignInBody })
  @ApiUnauthorizedResponse({ type: ProblemDetails, description: '`invalid_credentials`' })
  @ApiForbiddenResponse({ type: ProblemDetails, description: '`account_disabled`' })
  @ApiResponse({ status: 423, type: ProblemDetails, description: '`account_locked`, with `lockedUntil` and `Retry-After`' })
  @ApiResponse({ status: 503, type: ProblemDetails, description: '`overloaded`: too many wait for their password check' })
  login(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): SignInBody {
    const { signIn } = request;
    if (signIn === undefined) throw new AuthError('invalid_credentials');
    this.devices.remember(request, reply, signIn.user.id);
    const body = signInBody(signIn, signIn.lockedUntil);
    return isForm(request) ? { ...body, access_token: signIn.accessToken, token_type: 'bearer' } : body;
  }

  /** Makes an account and signs it in, where `REGISTRATION=open`. */
  @Post('register')
  @Public()
  @UseGuards(RegistrationGuard)
  @RateLimited()
  @ApiCreatedResponse({ type: SignInBody })
  @ApiForbiddenResponse({ type: ProblemDetails, description: '`registration_closed`' })
  @ApiConflictResponse({ type: ProblemDetails, description: '`email_taken` or `username_taken`' })
  async register(
    @Body() body: RegisterBody,
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignInBody> {
    const { email, password, username = null, name = null } = body;
    const signIn = await this.auth.register({ email, password, username, name }, nativePolicy(this.settings, false), client);
    this.devices.remember(request, reply, signIn.user.id);
    return signInBody(signIn, null);
  }

  /** Exchanges a refresh token for a new pair. The old one is good for a few seconds more, for an answer that was lost. */
  @Post('refresh')
  @HttpCode(200)
  @Public()
  @RateLimited()
  @ApiOkResponse({ type: TokensBody })
  @ApiUnauthorizedResponse({ type: ProblemDetails, description: '`invalid_grant`' })
  async refresh(@Body() body: RefreshBody, @CurrentClient() client: Client): Promise<TokensBody> {
    return tokensBody(await this.auth.refresh(body.refreshToken, nativePolicy(this.settings, false), client));
  }

  /** Ends this session: its access and refresh tokens are refused from the answer on. */
  @Post('logout')
  @HttpCode(204)
  @ApiNoContentResponse()
  async logout(@CurrentPrincipal() principal: UserPrincipal, @CurrentClient() client: Client): Promise<void> {
    await this.auth.logout(principal, client);
  }
}

function tokensBody({ accessToken, refreshToken, expiresIn }: Tokens): TokensBody {
  return { accessToken, refreshToken, tokenType: 'Bearer', expiresIn };
}

function signInBody(signIn: SignIn, lockedUntil: Date | null): SignInBody {
  return { ...tokensBody(signIn), user: userBody({ user: signIn.user, lockedUntil }) };
}
