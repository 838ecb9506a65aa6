import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { UserPrincipal } from '../access/index.js';
import { type Actor, AuditLog, type AuditParty, partyOf } from '../audit/index.js';
import { AuthError, invalidField } from '../errors/index.js';
import type { Client } from '../http/index.js';
import { PrincipalCache } from '../principals/index.js';
import { SessionsService } from '../sessions/index.js';
import { type AccountLock, lockFor } from './account-lock.js';
import { foldIdentifier } from './identifiers.js';
import { LoginThrottle } from './login-throttle.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordPolicy } from './password-policy.js';
import { User } from './user.entity.js';
import { type UserPatch, UsersService } from './users.service.js';

/** An account that somebody makes for themselves. */
export interface Registration {
  email: string | null;
  username: string | null;
  name: string | null;
  pictureUrl?: string | null;
  password: string;
}

/** What people change of their own account; a new email needs the current password. */
export interface ProfileChange extends Pick<UserPatch, 'email' | 'username' | 'name'> {
  currentPassword?: string | undefined;
}

/** What people do with their own account. */
@Injectable()
export class OwnAccount {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly throttle: LoginThrottle,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly cache: PrincipalCache,
    private readonly auditLog: AuditLog,
  ) {}

  /** Checks and hashes a password that a person chose. @throws AuthError `validation_failed`, `overloaded` */
  async hashChosen(account: Registration, minLength?: number): Promise<string> {
    await this.policy.require(account.password, account, 'password', minLength);
    return this.hasher.hash(account.password);
  }

  /** Adds the account, in the transaction that also starts its first session. @throws AuthError `email_taken`, `username_taken` */
  async register(manager: EntityManager, account: Registration, passwordHash: string, client: Client): Promise<User> {
    const { password: _, ...rest } = account;
    const user = await this.users.create(manager, { ...rest, role: 'member', passwordHash, signedIn: true });
    const party = { type: 'user', id: user.id } as const;
    await this.auditLog.record({ action: 'user.registered', actor: party, subject: party, client }, manager);
    return user;
  }

  /**
   * Changes the profile.
   * @throws AuthError `invalid_current_password`, `account_locked`, `email_taken`, `username_taken`, `validation_failed`
   */
  async update(principal: UserPrincipal, change: ProfileChange, client: Client): Promise<void> {
    const { currentPassword, ...patch } = change;
    if (Object.keys(patch).length === 0) return;
    const user = await this.users.get(principal.userId);
    const newEmail = patch.email !== undefined && fold(patch.email) !== user.emailFolded;
    const check = newEmail ? () => this.requireCurrentPassword(principal, currentPassword, client) : null;
    await this.locked(principal, check, async (manager) => {
      await this.users.update(manager, principal.userId, patch);
      await this.auditLog.record(
        { action: 'user.updated', ...self(principal), client, detail: { fields: Object.keys(patch) } },
        manager,
      );
    }, lockFor(patch));
  }

  /**
   * Changes the password and ends every other session.
   * @throws AuthError `invalid_current_password`, `account_locked`, `validation_failed`
   */
  async changePassword(
    principal: UserPrincipal,
    currentPassword: string,
    newPassword: string,
    client: Client,
    minLength?: number,
  ): Promise<void> {
    const user = await this.users.get(principal.userId);
    const check = (): Promise<string> => this.requireCurrentPassword(principal, currentPassword, client);
    // Before the policy looks at the new one: whoever does not know the current password learns nothing else.
    const hash = await check();
    await this.policy.require(newPassword, user, 'newPassword', minLength);
    const passwordHash = await this.hasher.hash(newPassword);
    await this.changing(principal, firstly(hash, check), async (manager) => {
      await this.users.update(manager, principal.userId, { passwordHash });
      await this.sessions.revokeAllOfUser(manager, principal.userId, principal.sessionId);
      await this.auditLog.record({ action: 'password.changed', ...self(principal), client }, manager);
    });
  }

  /**
   * Changes profile and password without asking for the current password, for a wire whose page does without. A new
   * password ends every other session.
   * @throws AuthError `validation_failed`, `email_taken`, `username_taken`, `overloaded`, `invalid_token` when the session
   *   has ended since the request was let in
   */
  async overwrite(
    principal: UserPrincipal,
    change: Pick<UserPatch, 'email' | 'username' | 'name' | 'pictureUrl'> & { password?: string },
    client: Client,
    minLength?: number,
  ): Promise<void> {
    const { password, ...patch } = change;
    const user = await this.users.get(principal.userId);
    if (password !== undefined) await this.policy.require(password, { ...user, ...patch }, 'password', minLength);
    const passwordHash = password === undefined ? null : await this.hasher.hash(password);
    await this.changing(principal, null, async (manager) => {
      // Nobody proved to know the password: whom another change has just signed out must not undo it.
      await this.sessions.requireAlive(manager, principal);
      await this.users.update(manager, principal.userId, { ...patch, ...(passwordHash === null ? {} : { passwordHash }) });
      if (Object.keys(patch).length > 0) {
        const detail = { fields: Object.keys(patch) };
        await this.auditLog.record({ action: 'user.updated', ...self(principal), client, detail }, manager);
      }
      if (passwordHash === null) return;
      await this.sessions.revokeAllOfUser(manager, principal.userId, principal.sessionId);
      await this.auditLog.record({ action: 'password.changed', ...self(principal), client }, manager);
    }, lockFor(patch));
  }

  /** A change after which the account's sessions may be over. */
  private changing(
    principal: UserPrincipal,
    check: (() => Promise<string>) | null,
    change: (manager: EntityManager) => Promise<void>,
    lock: AccountLock = 'FOR NO KEY UPDATE',
  ): Promise<void> {
    return this.cache.changingUser(principal.userId, () => this.locked(principal, check, change, lock));
  }

  /**
   * One transaction on one's own account, with its row locked. Where the hash that was just checked is no longer the
   * account's, the password is checked again: of two changes at once, the second does not know the password that it
   * would replace; a login that renewed the hash has changed nothing.
   */
  private async locked(
    principal: UserPrincipal,
    check: (() => Promise<string>) | null,
    change: (manager: EntityManager) => Promise<void>,
    lock: AccountLock,
  ): Promise<void> {
    for (let done = false; !done; ) {
      const checkedHash = await check?.();
      done = await this.dataSource.transaction(async (manager) => {
        const hash = await this.lockedHash(manager, principal.userId, lock);
        if (checkedHash !== undefined && hash !== checkedHash) return false;
        await change(manager);
        return true;
      });
    }
  }

  private async lockedHash(manager: EntityManager, userId: string, lock: AccountLock): Promise<string | null> {
    const [row] = await manager.query<{ password_hash: string | null }[]>(`SELECT password_hash FROM users WHERE id = $1 ${lock}`, [userId]);
    if (row === undefined) throw new AuthError('not_found');
    return row.password_hash;
  }

  /** Asks for the current password again (OWASP ASVS 2.1.6); the guesses of one session are counted like logins. */
  private async requireCurrentPassword(principal: UserPrincipal, password: string | undefined, client: Client): Promise<string> {
    if (password === undefined) throw invalidField('currentPassword', 'is needed for this change');
    const counter = this.throttle.forSession(principal.sessionId ?? principal.userId, principal.userId);
    return this.hasher.inTurn(counter.subject, async (turn) => {
      const { last } = await this.throttle.count(counter);
      const user = await this.dataSource.manager.findOne(User, {
        where: { id: principal.userId },
        select: { id: true, passwordHash: true },
      });
      const hash = user?.passwordHash ?? null;
      const { matches } = await turn.compare(password, hash);
      if (!matches || hash === null) {
        if (last) this.throttle.noteLock();
        await this.auditLog.record({ action: 'password.check_failed', outcome: 'failure', ...self(principal), client });
        throw wrongCurrentPassword();
      }
      await this.throttle.reset(counter);
      return hash;
    });
  }
}

function self(principal: UserPrincipal): { actor: Actor; subject: AuditParty } {
  return { actor: partyOf(principal), subject: { type: 'user', id: principal.userId } };
}

function wrongCurrentPassword(): AuthError {
  return new AuthError('invalid_current_password', { fields: [{ field: 'currentPassword', message: 'is wrong' }] });
}

/** What is known already the first time, and has to be found out again after that. */
function firstly<T>(known: T, find: () => Promise<T>): () => Promise<T> {
  let first = true;
  return () => {
    if (!first) return find();
    first = false;
    return Promise.resolve(known);
  };
}

function fold(email: string | null): string | null {
  return email === null ? null : foldIdentifier(email);
}
