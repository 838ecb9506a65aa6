import type { ApiKeyPrincipal, UserPrincipal } from '../access/index.js';

/** A checked credential, and until when the database said it is good. */
export interface Checked<P> {
  readonly principal: P;
  /** Milliseconds since the epoch; `Infinity` where there is no end. */
  readonly expiresAt: number;
}

/** Reads a credential's state from PostgreSQL; `null` when it is not, or no longer, good. */
export type Load<P> = () => Promise<Checked<P> | null>;

/**
 * Where the check behind every guarded request is read from. PostgreSQL is the truth; an implementation may answer
 * from something nearer only if it never answers yes after a revocation has been acknowledged.
 *
 * Whoever revokes commits first, then calls `forget*`, and answers its own caller only after that has returned.
 */
export abstract class PrincipalCache {
  /** The user behind a session, or `null`. */
  abstract session(sessionId: string, load: Load<UserPrincipal>): Promise<UserPrincipal | null>;

  /** The principal behind an API key, found by the key's hash, or `null`. */
  abstract apiKey(keyHash: string, load: Load<ApiKeyPrincipal>): Promise<ApiKeyPrincipal | null>;

  /** Whatever was remembered of these sessions is gone. */
  abstract forgetSessions(sessionIds: readonly string[]): Promise<void>;

  /** Whatever was remembered of a user's sessions and keys is gone. */
  abstract forgetUser(userId: string): Promise<void>;

  /** Whatever was remembered of an API key is gone. */
  abstract forgetApiKey(apiKeyId: string): Promise<void>;

  /**
   * Runs a change after which a user's credentials may mean something else, and forgets them afterwards: also when the
   * change failed, for a commit whose answer was lost may have happened.
   */
  async changingUser<T>(userId: string, change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } finally {
      await this.forgetUser(userId);
    }
  }
}
