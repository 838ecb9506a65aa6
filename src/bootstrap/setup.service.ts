import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, MoreThan } from 'typeorm';
import { AuditLog } from '../audit/index.js';
import { LOCKS, withLock } from '../database/index.js';
import { AuthError } from '../errors/index.js';
import type { Client } from '../http/index.js';
import { OwnAccount, type Registration, type User, UsersService } from '../users/index.js';
import { ClaimToken } from './claim-token.js';
import { isReached, MILESTONES, reach } from './milestones.js';
import { SetupClaim } from './setup-claim.entity.js';

const CLAIM_DAYS = 7;

/** The set-up claim: a one-time token with which somebody who can read the server's output becomes the owner. */
@Injectable()
export class SetupService {
  /** The token that this process printed, if it opened a claim. */
  private openedToken: string | null = null;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly ownAccount: OwnAccount,
    private readonly auditLog: AuditLog,
    private readonly claimToken: ClaimToken,
  ) {}

  /** The claim token of this process, to be shown to the operator. */
  get token(): string | null {
    return this.openedToken;
  }

  /** Opens a claim; every instance that starts without an owner opens one of its own, its processes together one. */
  async open(manager: EntityManager): Promise<void> {
    const token = this.claimToken.value;
    await manager.query(
      `INSERT INTO setup_claims (token_hash, expires_at) VALUES ($1, now() + make_interval(days => $2::int))
       ON CONFLICT (token_hash) DO NOTHING`,
      [hashClaim(token), CLAIM_DAYS],
    );
    this.openedToken = token;
  }

  /** Closes all claims: there is an owner. */
  async close(manager: EntityManager): Promise<void> {
    await manager.query('DELETE FROM setup_claims');
    this.openedToken = null;
  }

  /**
   * Says that the set-up is complete, for good: for the module of a product that takes somebody through it. From then on
   * nobody signs in without a credential (`FirstRun`).
   */
  async complete(): Promise<void> {
    await reach(this.dataSource.manager, MILESTONES.setupComplete);
  }

  /** Whether `complete` has been called, at whichever instance. */
  isComplete(manager: EntityManager = this.dataSource.manager): Promise<boolean> {
    return isReached(manager, MILESTONES.setupComplete);
  }

  /**
   * Makes the owner, once: of two claims at the same time, one wins.
   * @throws AuthError `setup_completed` when no claim is open, `invalid_token` when the token is wrong,
   *   `validation_failed`, `email_taken`, `username_taken` (the claim then stays open)
   */
  async claim(token: string, account: Registration, client: Client): Promise<User> {
    await this.requireClaim(this.dataSource.manager, token);
    const passwordHash = await this.ownAccount.hashChosen(account);
    const { password: _, ...rest } = account;
    return withLock(this.dataSource, LOCKS.bootstrap, async (manager) => {
      await this.requireClaim(manager, token);
      // Without authentication an owner can come about while a claim of an earlier start is still open.
      if (await this.users.hasOwner(manager)) throw new AuthError('setup_completed');
      const owner = await this.users.create(manager, { ...rest, role: 'owner', passwordHash });
      await this.close(manager);
      const party = { type: 'user', id: owner.id } as const;
      await this.auditLog.record({ action: 'setup.completed', actor: party, subject: party, client }, manager);
      return owner;
    });
  }

  private async requireClaim(manager: EntityManager, token: string): Promise<void> {
    const unexpired = { expiresAt: MoreThan(new Date()) };
    if (await manager.existsBy(SetupClaim, { tokenHash: hashClaim(token), ...unexpired })) return;
    if (await manager.existsBy(SetupClaim, unexpired)) {
      throw new AuthError('invalid_token', { detail: 'The claim token is wrong.' });
    }
    if (await this.users.hasOwner(manager)) throw new AuthError('setup_completed');
    throw new AuthError('setup_completed', { detail: 'No claim is open. The server prints a new one when it is started again.' });
  }
}

function hashClaim(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
