import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { v4 as uuidv4, validate as isUuid } from 'uuid';
import { Settings } from '../config/index.js';
import { SigningKeys } from './signing-keys.js';

/** The claims of an access token that the core reads (RFC 7519 §4.1; `sid`: OpenID Connect Front-Channel Logout §3). */
export interface AccessTokenClaims {
  sub: string;
  sid: string;
  exp: number;
}

/** Issues access tokens: JWTs signed with HS256. */
@Injectable()
export class AccessTokensService {
  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly settings: Settings,
  ) {}

  /**
   * A token for one session of one user.
   * @param ttlSeconds how long it is good, as long as the session is
   * @param extraClaims what a dialect's clients read besides; never consulted by the core
   */
  issue(userId: string, sessionId: string, ttlSeconds: number, extraClaims: Record<string, unknown> = {}): string {
    const { jwtIssuer: iss, jwtAudience: aud } = this.settings;
    const iat = Math.floor(Date.now() / 1000);
    return this.jwt.sign(
      { ...extraClaims, sub: userId, sid: sessionId, jti: uuidv4(), iss, aud, iat, exp: iat + ttlSeconds },
      { algorithm: 'HS256', keyid: this.keys.keyId },
    );
  }
}

/** Whether verified claims are an access token of ours: the registered claims are there and of the right type. */
export function isAccessToken(claims: unknown): claims is AccessTokenClaims {
  if (typeof claims !== 'object' || claims === null) return false;
  const { sub, sid, jti, iat, exp } = claims as Record<string, unknown>;
  const named = isUuid(sub) && isUuid(sid) && typeof jti === 'string' && jti !== '';
  return named && typeof iat === 'number' && typeof exp === 'number';
}
