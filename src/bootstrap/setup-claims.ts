import { hash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type EntityManager, Raw } from 'typeorm';
import { AuthError } from '../errors/index.js';
import { UsersService } from '../users/index.js';
import { SetupClaim } from './setup-claim.entity.js';

/** A claim that was just made, with the only copy of its token. */
export interface OpenedClaim {
  token: string;
  expiresAt: Date;
}

/** The one-time tokens of the set-up and the recovery: made, looked up, used up. Only their hashes are stored. */
@Injectable()
export class SetupClaims {
  constructor(private readonly users: UsersService) {}

  /** Makes a claim; with a token that was made before (`ClaimToken`), once. */
  async open(
    manager: EntityManager,
    claim: Pick<SetupClaim, 'purpose' | 'userId'>,
    seconds: number,
    token = randomBytes(32).toString('base64url'),
  ): Promise<OpenedClaim> {
    const [row] = await manager.query<{ expires_at: Date }[]>(
      `INSERT INTO setup_claims (token_hash, purpose, user_id, expires_at)
       VALUES ($1, $2, $3, now() + make_interval(secs => $4::int))
       ON CONFLICT (token_hash) DO UPDATE SET expires_at = setup_claims.expires_at RETURNING expires_at`,
      [hashClaim(token), claim.purpose, claim.userId, seconds],
    );
    return { token, expiresAt: row?.expires_at ?? new Date() };
  }

  /** Ends all claims of a purpose. */
  async close(manager: EntityManager, purpose: SetupClaim['purpose']): Promise<void> {
    await manager.delete(SetupClaim, { purpose });
  }

  /**
   * The claim that a token stands for.
   * @throws AuthError `setup_completed` when no claim is open, `invalid_token` when the token is wrong
   */
  async require(manager: EntityManager, token: string): Promise<SetupClaim> {
    // By the clock that has set it.
    const unexpired = { expiresAt: Raw((column) => `${column} > now()`) };
    const claim = await manager.findOneBy(SetupClaim, { tokenHash: hashClaim(token), ...unexpired });
    if (claim !== null) return claim;
    if (await manager.existsBy(SetupClaim, unexpired)) {
      throw new AuthError('invalid_token', { detail: 'The claim token is wrong.' });
    }
    if (await this.users.hasOwner(manager)) throw new AuthError('setup_completed');
    throw new AuthError('setup_completed', { detail: 'No claim is open. The server prints a new one when it is started again.' });
  }

  /**
   * Uses a claim up, in the transaction of what it is good for: of two at the same time, one wins.
   * @throws AuthError as `require` does
   */
  async use(manager: EntityManager, token: string): Promise<SetupClaim> {
    const claim = await this.require(manager, token);
    const { affected } = await manager.delete(SetupClaim, { tokenHash: claim.tokenHash });
    if (affected === 0) throw new AuthError('setup_completed');
    return claim;
  }
}

function hashClaim(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
