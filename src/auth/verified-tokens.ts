import { remember } from '../principals/index.js';
import type { AccessTokenClaims } from '../sessions/index.js';

/** Tokens beyond this push the oldest out; one takes under a kilobyte. */
const MOST_TOKENS = 20_000;

/**
 * Remembers the claims of tokens whose signature was verified, until they expire, keyed by the whole token: a signature
 * is checked once. Whether the session is still alive is asked every time all the same.
 */
export class VerifiedTokens {
  private readonly claims = new Map<string, AccessTokenClaims>();

  /** The claims of a token that was verified before and has not expired. */
  get(token: string): AccessTokenClaims | undefined {
    const claims = this.claims.get(token);
    if (claims === undefined || claims.exp * 1000 > Date.now()) return claims;
    this.claims.delete(token);
    return undefined;
  }

  remember(token: string, claims: AccessTokenClaims): void {
    remember(this.claims, token, claims, MOST_TOKENS);
  }
}
