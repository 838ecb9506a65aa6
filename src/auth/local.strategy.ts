import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-local';
import { Settings } from '../config/index.js';
import { clientOf } from '../http/index.js';
import { AuthService, type PasswordSignIn } from './auth.service.js';
import { DeviceCookie } from './device-cookie.js';
import type { LoginRequest } from './local-auth.guard.js';
import { nativePolicy } from './token-policy.js';

/** Signs in with an identifier and a password, from a body that `LocalAuthGuard` has validated. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy, 'local') {
  constructor(
    private readonly auth: AuthService,
    private readonly devices: DeviceCookie,
    private readonly settings: Settings,
  ) {
    super({ usernameField: 'identifier', passwordField: 'password', passReqToCallback: true });
  }

  /** @throws AuthError `invalid_credentials`, `account_locked`, `account_disabled`, `overloaded` */
  validate(request: FastifyRequest, identifier: string, password: string): Promise<PasswordSignIn> {
    const { rememberMe } = request.body as LoginRequest;
    const credentials = { identifier, password, deviceOf: this.devices.reader(request) };
    return this.auth.login(credentials, nativePolicy(this.settings, rememberMe), clientOf(request));
  }
}
