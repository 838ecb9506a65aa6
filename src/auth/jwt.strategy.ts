import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-jwt';
import type { UserPrincipal } from '../access/index.js';
import { Settings } from '../config/index.js';
import { AuthError } from '../errors/index.js';
import { type AccessTokenClaims, isAccessToken, SessionsService, SigningKeys, verificationOptions } from '../sessions/index.js';
import { settle } from './ask-strategy.js';
import { CurrentAccount } from './current-account.js';
import { VerifiedTokens } from './verified-tokens.js';

/** Verifies access tokens (RFC 7519 §7.2, RFC 8725) and asks whether their session is alive. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  private readonly verified = new VerifiedTokens();

  constructor(
    settings: Settings,
    keys: SigningKeys,
    private readonly sessions: SessionsService,
    private readonly currentAccount: CurrentAccount,
  ) {
    super({
      ...verificationOptions(settings),
      jwtFromRequest: (request: unknown) => tokenOf(request),
      secretOrKeyProvider: (_request: unknown, token: string, done: (error: unknown, key: unknown) => void) => {
        const key = keys.jwtKeyFor(keyIdOf(token));
        done(key === null ? new Error('unknown key') : null, key);
      },
      passReqToCallback: true,
    } as unknown as ConstructorParameters<typeof Strategy>[0] & { passReqToCallback: true });
  }

  /**
   * Who sends a request, by a token whose signature was verified before: straight to the session check.
   * @returns `undefined` for all other tokens, which are Passport's to look at
   * @throws AuthError `invalid_token`, through the promise
   */
  recognise(request: FastifyRequest): UserPrincipal | Promise<UserPrincipal> | undefined {
    const claims = this.verified.get(tokenOf(request) ?? '');
    return claims === undefined ? undefined : this.check(claims, request);
  }

  /** Passport's entry. */
  override authenticate(request: never, options?: never): void {
    const known = this.recognise(request);
    if (known !== undefined) {
      settle(this, known);
      return;
    }
    try {
      super.authenticate(request, options);
    } catch (error) {
      // jsonwebtoken trips over claims that are no object.
      this.fail(error as never);
    }
  }

  /** @throws AuthError `invalid_token` */
  async validate(request: FastifyRequest, claims: unknown): Promise<UserPrincipal> {
    if (!isAccessToken(claims)) throw new AuthError('invalid_token');
    const principal = await this.check(claims, request);
    const { sub, sid, exp } = claims;
    this.verified.remember(tokenOf(request) ?? '', { sub, sid, exp });
    return principal;
  }

  private check(claims: AccessTokenClaims, request: FastifyRequest): UserPrincipal | Promise<UserPrincipal> {
    return request.wantsAccount === true ? this.currentAccount.authenticate(claims, request) : this.sessions.authenticate(claims);
  }
}

function tokenOf(request: unknown): string | null {
  const { credential } = request as FastifyRequest;
  return credential?.kind === 'access-token' ? credential.token : null;
}

/** The `kid` that a token claims; nothing depends on it but which of our two keys is tried. */
function keyIdOf(token: string): unknown {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('utf8'));
    return (header as { kid?: unknown } | null)?.kid;
  } catch {
    return undefined;
  }
}
