import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AuditLog } from '../audit/index.js';
import { AuthError, invalidField } from '../errors/index.js';
import type { Client } from '../http/index.js';
import { PrincipalCache } from '../principals/index.js';
import { AccountRecovery, OwnAccount, type Registration, User, UsersService } from '../users/index.js';
import { type OpenedClaim, SetupClaims } from './setup-claims.js';
import { SetupClaim } from './setup-claim.entity.js';

const CLAIM_SECONDS = 3_600;

/** The way back in for owners, without mail: a claim that whoever can run commands on the server opens. */
@Injectable()
export class OwnerRecovery {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly claims: SetupClaims,
    private readonly users: UsersService,
    private readonly ownAccount: OwnAccount,
    private readonly accounts: AccountRecovery,
    private readonly cache: PrincipalCache,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Opens a claim to an owner's account, or to a new one where no owner can sign in; it takes the place of an earlier one,
   * and is good for an hour.
   */
  open(owner: User | null, client: Client): Promise<OpenedClaim> {
    const userId = owner?.id ?? null;
    return this.dataSource.transaction(async (manager) => {
      await manager.query("DELETE FROM setup_claims WHERE purpose = 'recovery' AND user_id IS NOT DISTINCT FROM $1::uuid", [userId]);
      const opened = await this.claims.open(manager, { purpose: 'recovery', userId }, CLAIM_SECONDS);
      const subject = userId === null ? null : ({ type: 'user', id: userId } as const);
      await this.auditLog.record({ action: 'owner.recovery_opened', subject, client }, manager);
      return opened;
    });
  }

  /**
   * Gives the account that a claim is for to its bearer: with a new password, enabled, unlocked, signed out everywhere.
   * @throws AuthError `validation_failed`, `setup_completed` when the claim was used, or the account is no owner any more
   */
  async recover(token: string, userId: string, account: Registration, client: Client): Promise<User> {
    for (const field of ['email', 'username', 'name'] as const) {
      if (account[field] !== null) throw invalidField(field, 'is not for this claim, which gives an account back as it is');
    }
    const { email, username } = await this.users.get(userId);
    const passwordHash = await this.ownAccount.hashChosen({ ...account, email, username });
    return this.cache.changingUser(userId, () =>
      this.dataSource.transaction(async (manager) => {
        const user = await manager.findOne(User, { where: { id: userId }, lock: { mode: 'pessimistic_write' } });
        await this.claims.use(manager, token);
        if (user?.role !== 'owner') throw new AuthError('setup_completed', { detail: 'The account is no owner any more.' });
        await manager.delete(SetupClaim, { userId });
        return this.accounts.recover(manager, user, passwordHash, client);
      }),
    );
  }
}
