import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConflictResponse, ApiCreatedResponse, ApiForbiddenResponse, ApiOkResponse, ApiResponse, ApiTags, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentPrincipal, Public, type UserPrincipal } from '../../access/index.js';
import { AuthService, DeviceCookie, RateLimited, type SignIn } from '../../auth/index.js';
import { Settings } from '../../config/index.js';
import { AuthError } from '../../errors/index.js';
import { type Client, CurrentClient } from '../../http/index.js';
import { readLogin, readRegistration } from './mosbot.bodies.js';
import { passwordMinLength, tokenPolicy } from './mosbot.dialect.js';
import { MosbotErrorBody, MosbotLoginBody, MosbotRegisterBody, MosbotSignInBody, mosbotUser, MosbotUserBody, MosbotVerifyBody } from './mosbot.dto.js';

@ApiTags('MosBot OS')
@Controller('api/v1/auth')
export class MosbotAuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly devices: DeviceCookie,
    private readonly settings: Settings,
  ) {}

  /** Signs in. Five wrong passwords in a row lock the account for a while. */
  @Post('login')
  @HttpCode(200)
  @Public()
  @RateLimited()
  @ApiBody({ type: MosbotLoginBody })
  @ApiOkResponse({ type: MosbotSignInBody })
  @ApiUnauthorizedResponse({ type: MosbotErrorBody, description: 'Unknown email or wrong password: `invalid_credentials`' })
  @ApiForbiddenResponse({ type: MosbotErrorBody, description: 'The password is right, but the account is deactivated: `account_disabled`' })
  @ApiResponse({ status: 423, type: MosbotErrorBody, description: 'Too many wrong passwords: `account_locked`' })
  async login(
    @Body() body: unknown,
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MosbotSignInBody> {
    const { email: identifier, password } = readLogin(body);
    const credentials = { identifier, password, deviceOf: this.devices.reader(request) };
    return this.signedIn(await this.auth.login(credentials, tokenPolicy(this.settings), client), request, reply);
  }

  /** Makes an account and signs it in, where `REGISTRATION=open`. */
  @Post('register')
  @Public()
  @RateLimited()
  @ApiBody({ type: MosbotRegisterBody })
  @ApiCreatedResponse({ type: MosbotSignInBody })
  @ApiForbiddenResponse({ type: MosbotErrorBody, description: 'Registration is disabled: `registration_closed`' })
  @ApiConflictResponse({ type: MosbotErrorBody, description: 'The email is in use: `email_taken`' })
  async register(
    @Body() body: unknown,
    @CurrentClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MosbotSignInBody> {
    if (this.settings.registration !== 'open') throw new AuthError('registration_closed');
    const account = { ...readRegistration(body), username: null };
    const minLength = passwordMinLength(this.settings);
    return this.signedIn(await this.auth.register(account, tokenPolicy(this.settings), client, minLength), request, reply);
  }

  /** Whether the token is good, and whose it is. */
  @Post('verify')
  @HttpCode(200)
  @ApiOkResponse({ type: MosbotVerifyBody })
  async verify(@CurrentPrincipal() principal: UserPrincipal): Promise<MosbotVerifyBody> {
    return { data: { valid: true, user: mosbotUser(await this.auth.account(principal)) } };
  }

  /** Who is signed in. */
  @Get('me')
  @ApiOkResponse({ type: MosbotUserBody })
  async me(@CurrentPrincipal() principal: UserPrincipal): Promise<MosbotUserBody> {
    return { data: mosbotUser(await this.auth.account(principal)) };
  }

  private signedIn(signIn: SignIn, request: FastifyRequest, reply: FastifyReply): MosbotSignInBody {
    this.devices.remember(request, reply, signIn.user.id);
    const data = { token: signIn.accessToken, user: mosbotUser(signIn.user), expires_in: this.settings.jwtExpiresIn };
    return { ...data, data };
  }
}
