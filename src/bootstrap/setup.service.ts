import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditLog } from '../audit/index.js';
import { LOCKS, withLock } from '../database/index.js';
import { AuthError, invalidField } from '../errors/index.js';
import type { Client } from '../http/index.js';
import { OwnAccount, type Registration, type User, UsersService } from '../users/index.js';
import { isReached, MILESTONES, reach } from './milestones.js';
import { OwnerRecovery } from './owner-recovery.js';
import { SetupClaims } from './setup-claims.js';

const CLAIM_SECONDS = 7 * 86_400;

/** What a claim did. */
export interface Claimed {
  user: User;
  /** Whether the account was there before, and was given back. */
  recovered: boolean;
}

/** The set-up claim: a one-time token with which somebody who can read the server's output becomes the owner. */
@Injectable()
export class SetupService {
  /** The token that this process printed, if it opened a claim. */
  private openedToken: string | null = null;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly claims: SetupClaims,
    private readonly recovery: OwnerRecovery,
    private readonly users: UsersService,
    private readonly ownAccount: OwnAccount,
    private readonly auditLog: AuditLog,
  ) {}

  /** The claim token of this process, to be shown to the operator. */
  get token(): string | null {
    return this.openedToken;
  }

  /** Opens a claim; every instance that starts without an owner opens one of its own, its processes together one. */
  async open(manager: EntityManager, token: string): Promise<void> {
    await this.claims.open(manager, { purpose: 'setup', userId: null }, CLAIM_SECONDS, token);
    this.openedToken = token;
  }

  /** Closes all claims to the first account: there is an owner. */
  async close(manager: EntityManager): Promise<void> {
    await this.claims.close(manager, 'setup');
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
   * Makes the owner, or gives an owner's account back, as the token says; once: of two claims at the same time, one wins.
   * @throws AuthError `setup_completed` when no claim is open, `invalid_token` when the token is wrong,
   *   `validation_failed`, `email_taken`, `username_taken` (the claim then stays open)
   */
  async claim(token: string, account: Registration, client: Client): Promise<Claimed> {
    const { userId } = await this.claims.require(this.dataSource.manager, token);
    if (userId !== null) return { user: await this.recovery.recover(token, userId, account, client), recovered: true };
    if (account.email === null && account.username === null) throw invalidField('email', 'must be an email address');
    const passwordHash = await this.ownAccount.hashChosen(account);
    const { password: _, ...rest } = account;
    return withLock(this.dataSource, LOCKS.bootstrap, async (manager) => {
      const { purpose } = await this.claims.use(manager, token);
      // Without authentication an owner can come about while a claim of an earlier start is still open.
      const settled = purpose === 'setup' ? await this.users.hasOwner(manager) : (await this.users.findOwners(manager)).length > 0;
      if (settled) throw new AuthError('setup_completed');
      const owner = await this.users.create(manager, { ...rest, role: 'owner', passwordHash });
      await this.close(manager);
      const party = { type: 'user', id: owner.id } as const;
      await this.auditLog.record({ action: 'setup.completed', actor: party, subject: party, client }, manager);
      return { user: owner, recovered: false };
    });
  }
}
