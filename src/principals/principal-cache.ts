import type { ApiKeyPrincipal, UserPrincipal } from '../access/index.js';
import { AuthError } from '../errors/index.js';

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
 * Whoever revokes commits first, then calls `forget*`, and answers its own caller only after that has returned, which
 * may take some seconds: `changing` and `changingUser` do that. `forget*` never rejects.
 */
export abstract class PrincipalCache {
  /** The user behind a session, or `null`. `userId` is whose session it was issued as. */
  abstract session(sessionId: string, userId: string, load: Load<UserPrincipal>): Promise<UserPrincipal | null>;

  /** The principal behind an API key, found by the key's hash, or `null`. */
  abstract apiKey(keyHash: string, load: Load<ApiKeyPrincipal>): Promise<ApiKeyPrincipal | null>;

  /** Whether it may answer without PostgreSQL. Where not, whoever asks PostgreSQL for more can have the check along with it. */
  readonly remembers: boolean = true;

  /** The user behind a session where that is known here and now: a request then waits for nothing. */
  sessionAtHand(_sessionId: string): UserPrincipal | undefined {
    return undefined;
  }

  /** The same of an API key. */
  apiKeyAtHand(_keyHash: string): ApiKeyPrincipal | undefined {
    return undefined;
  }

  /** Whatever was remembered of a session of a user is gone. */
  abstract forgetSession(userId: string, sessionId: string): Promise<void>;

  /** Whatever was remembered of a user's sessions and keys is gone. */
  abstract forgetUser(userId: string): Promise<void>;

  /** Whatever was remembered of an API key is gone; `userId` is `null` for a key of the instance itself. */
  abstract forgetApiKey(userId: string | null, apiKeyId: string): Promise<void>;

  /** Runs a change after which a user's credentials may mean something else, and forgets them afterwards. */
  changingUser<T>(userId: string, change: () => Promise<T>): Promise<T> {
    return this.changing(change, () => this.forgetUser(userId));
  }

  /**
   * Runs a change, and forgets afterwards: also when the change failed, for a commit whose answer was lost may have
   * happened. Then nobody is told that it did, and so nobody waits for it to count everywhere; but whoever hears that
   * there is nothing to change may be asking for the second time.
   * @param forget calls one of `forget*`, or none where it turned out that nothing was changed
   */
  async changing<T>(change: () => Promise<T>, forget: () => Promise<void>): Promise<T> {
    let result: T;
    try {
      result = await change();
    } catch (error) {
      const forgotten = forget();
      if (error instanceof AuthError && error.code === 'not_found') await forgotten;
      throw error;
    }
    await forget();
    return result;
  }
}
