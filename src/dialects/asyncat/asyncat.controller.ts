import { Body, Controller, Get, HttpCode, Post, Put, Req, Res, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  ApiBadRequestResponse, ApiBody, ApiConflictResponse, ApiForbiddenResponse, ApiOkResponse, ApiResponse, ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentPrincipal, Public, type UserPrincipal } from '../../access/index.js';
import { AuthService, DeviceCookie, OptionalAccessToken, RateLimited, type SignIn } from '../../auth/index.js';
import { FirstRun } from '../../bootstrap/index.js';
import { Settings } from '../../config/index.js';
import { AuthError } from '../../errors/index.js';
import { type Client, CurrentClient } from '../../http/index.js';
import { OwnAccount, SeededAccount, UsersService } from '../../users/index.js';
import {
  AsyncatAccountBody, AsyncatErrorBody, AsyncatLocalAccountBody, AsyncatLoginBody, AsyncatMessageBody, AsyncatPasswordBody,
  AsyncatSignInBody, AsyncatStatusBody, userBody,
} from './asyncat.dto.js';
import { asyncatPolicy, MIN_LENGTH } from './asyncat.policy.js';
import { readAccountChange, readLogin, readNewPassword } from './asyncat.requests.js';

@ApiTags('asyncat')
@Controller('api/auth')
export class AsyncatController {
  constructor(
    private readonly auth: AuthService,
    private readonly ownAccount: OwnAccount,
    private readonly seededAccount: SeededAccount,
    private readonly users: UsersService,
    private readonly firstRun: FirstRun,
    private readonly devices: DeviceCookie,
    private readonly settings: Settings,
  ) {}

  /** How one signs in here, and whether the set-up is open. */
  @Get('status')
  @Public()
  @ApiOkResponse({ type: AsyncatStatusBody })
  async status(): Promise<AsyncatStatusBody> {
    const seeded = await this.seededAccount.find();
    return {
      success: true,
      mode: 'local',
      // Of one among several nobody is told.
      localEmail: seeded?.user.email ?? (await this.users.findOnly())?.email ?? this.settings.localEmail,
      isFirstRun: await this.firstRun.isOpen(),
    };
  }

  /** Signs in with an email address and a password. */
  @Post('login')
  @HttpCode(200)
  @Public()
  @RateLimited()
  @ApiBody({ type: AsyncatLoginBody })
  @ApiOkResponse({ type: AsyncatSignInBody })
  @ApiBadRequestResponse({ type: AsyncatErrorBody, description: 'Email and password are required' })
  @ApiUnauthorizedResponse({ type: AsyncatErrorBody, description: 'Invalid email or password' })
  @ApiForbiddenResponse({ type: AsyncatErrorBody, description: 'From elsewhere, while the password is the default one' })
  @ApiResponse({ status: 423, type: AsyncatErrorBody, description: 'Too many wrong passwords; see `Retry-After`' })
  async login(
    @Body() body: unknown,
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AsyncatSignInBody> {
    const { email, password } = readLogin(body);
    const credentials = { identifier: email, password, deviceOf: this.devices.reader(request) };
    return this.signedIn(await this.auth.login(credentials, asyncatPolicy(this.settings), client), request, reply);
  }

  /** Signs out. A good token that comes along is no longer accepted. */
  @Post('logout')
  @HttpCode(200)
  @Public()
  @UseGuards(OptionalAccessToken)
  @RouteConfig({ ignoresBody: true })
  @ApiOkResponse({ type: AsyncatMessageBody })
  async logout(@CurrentPrincipal() principal: UserPrincipal | undefined, @CurrentClient() client: Client): Promise<AsyncatMessageBody> {
    if (principal !== undefined) await this.auth.logout(principal, client);
    return { success: true, message: 'Logged out' };
  }

  /** Who is signed in, fresh from the database. */
  @Get('me')
  @ApiOkResponse({ type: AsyncatAccountBody })
  async me(@CurrentPrincipal() principal: UserPrincipal): Promise<AsyncatAccountBody> {
    return { success: true, user: userBody(await this.auth.account(principal)) };
  }

  /** Changes name, email or password. A new email or password brings a new token and ends the one in use. */
  @Put('local-account')
  @RateLimited()
  @ApiBody({ type: AsyncatLocalAccountBody })
  @ApiOkResponse({ type: AsyncatSignInBody })
  @ApiBadRequestResponse({ type: AsyncatErrorBody, description: 'A field is not good, or there is none' })
  @ApiConflictResponse({ type: AsyncatErrorBody, description: 'Email already in use.' })
  async updateLocalAccount(
    @Body() body: unknown,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
  ): Promise<AsyncatSignInBody> {
    const change = readAccountChange(body);
    const before = await this.auth.account(principal);
    await this.ownAccount.overwrite(principal, change, client, MIN_LENGTH);
    const sameToken = change.password === undefined && (change.email ?? before.email) === before.email;
    const token = (sameToken ? tokenOf(request) : null) ?? (await this.renewed(principal, request, client));
    return { success: true, token, user: userBody(await this.auth.account(principal)) };
  }

  /** Changes the password and ends every other session. */
  @Post('update-password')
  @HttpCode(200)
  @RateLimited()
  @ApiBody({ type: AsyncatPasswordBody })
  @ApiOkResponse({ type: AsyncatMessageBody })
  @ApiBadRequestResponse({ type: AsyncatErrorBody, description: 'Password must be at least 8 characters' })
  async updatePassword(
    @Body() body: unknown,
    @CurrentPrincipal() principal: UserPrincipal,
    @CurrentClient() client: Client,
  ): Promise<AsyncatMessageBody> {
    await this.ownAccount.overwrite(principal, { password: readNewPassword(body) }, client, MIN_LENGTH);
    return { success: true, message: 'Password updated' };
  }

  /** Signs in without a credential, on this machine, while the set-up is open. */
  @Post('first-run')
  @HttpCode(200)
  @Public()
  @RateLimited()
  @RouteConfig({ ignoresBody: true })
  @ApiOkResponse({ type: AsyncatSignInBody })
  @ApiForbiddenResponse({ type: AsyncatErrorBody, description: 'First-run setup already completed, or not asked from this machine' })
  async start(
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AsyncatSignInBody> {
    return this.signedIn(await this.firstRun.signIn(asyncatPolicy(this.settings), client), request, reply);
  }

  /** Always refused: there is the local account. */
  @Post('register')
  @Public()
  @RouteConfig({ ignoresBody: true })
  @ApiForbiddenResponse({ type: AsyncatErrorBody, description: 'Registration is disabled in the local build.' })
  register(): never {
    throw new AuthError('registration_closed');
  }

  private signedIn({ accessToken, user }: SignIn, request: FastifyRequest, reply: FastifyReply): AsyncatSignInBody {
    this.devices.remember(request, reply, user.id);
    return { success: true, token: accessToken, user: userBody(user) };
  }

  private async renewed(principal: UserPrincipal, request: FastifyRequest, client: Client): Promise<string> {
    const policy = asyncatPolicy(this.settings);
    const { accessToken } = this.settings.authDisabled
      ? await this.auth.admitAnybody(request, policy)
      : await this.auth.renew(principal, policy, client);
    return accessToken;
  }
}

/** The token that the request came with; none where authentication is switched off. */
function tokenOf({ credential }: FastifyRequest): string | null {
  return credential?.kind === 'access-token' ? credential.token : null;
}
