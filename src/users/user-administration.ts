import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { type Principal, type Role, scopesCover } from '../access/index.js';
import { type AuditAction, type AuditDetail, AuditLog, partyOf } from '../audit/index.js';
import { AuthError } from '../errors/index.js';
import type { Client } from '../http/index.js';
import { PrincipalCache } from '../principals/index.js';
import { SessionsService } from '../sessions/index.js';
import { type AccountLock, lockFor } from './account-lock.js';
import { LoginThrottle } from './login-throttle.js';
import { PasswordHasher } from './password-hasher.js';
import { type PasswordOwner, PasswordPolicy } from './password-policy.js';
import type { User } from './user.entity.js';
import { type UserPatch, UsersService } from './users.service.js';

/** Who administers, and from where. */
export interface Administrator {
  principal: Principal;
  client: Client;
}

/** An account to be made by an administrator. */
export interface AccountRequest {
  email: string | null;
  username: string | null;
  name: string | null;
  pictureUrl?: string | null;
  role: Role;
  /** `null`: none, so that nobody can sign in to the account until one is set. */
  password: string | null;
  disabled?: boolean;
}

/** What an administrator changes. */
export interface AccountChange extends Pick<UserPatch, 'email' | 'username' | 'name' | 'pictureUrl' | 'role'> {
  disabled?: boolean;
  /** Ends the user's sessions. */
  password?: string;
}

/** Administration of other people's accounts: an admin cannot touch an owner, and the last owner stays. */
@Injectable()
export class UserAdministration {
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

  /** @throws AuthError `validation_failed`, `email_taken`, `username_taken`, `insufficient_role` */
  async create(by: Administrator, account: AccountRequest, minLength?: number): Promise<User> {
    requireMayTouch(by, account.role);
    const { password, disabled = false, ...rest } = account;
    const passwordHash = password === null ? null : await this.hashChosen(password, account, minLength);
    return this.dataSource.transaction(async (manager) => {
      const user = await this.users.create(manager, { ...rest, passwordHash, disabledAt: disabled ? new Date() : null });
      await this.record(manager, 'user.created', by, user.id, { role: user.role });
      return user;
    });
  }

  /** @throws AuthError `not_found`, `insufficient_role`, `last_owner`, `email_taken`, `username_taken`, `validation_failed` */
  async update(by: Administrator, id: string, change: AccountChange, minLength?: number): Promise<User> {
    const { disabled, password, ...patch } = change;
    const passwordHash = password === undefined ? undefined : await this.hashFor(by, id, password, minLength, patch);
    return this.changing(by, id, async (manager, user) => {
      if (change.role !== undefined) requireMayTouch(by, change.role);
      const losesOwner = disabled === true || (change.role !== undefined && change.role !== 'owner');
      if (losesOwner) await this.keepAnOwner(manager, user);
      const switched = disabled !== undefined && disabled !== (user.disabledAt !== null);
      if (Object.keys(patch).length === 0 && !switched && passwordHash === undefined) return user;
      const updated = await this.users.update(manager, id, {
        ...patch,
        ...(switched ? { disabledAt: disabled ? new Date() : null } : {}),
        ...(passwordHash === undefined ? {} : { passwordHash }),
      });
      if (Object.keys(patch).length > 0) {
        await this.record(manager, 'user.updated', by, id, { fields: Object.keys(patch), role: updated.role });
      }
      if (passwordHash !== undefined || (switched && disabled)) await this.sessions.revokeAllOfUser(manager, id);
      if (passwordHash !== undefined) await this.record(manager, 'password.set', by, id);
      if (switched) {
        await this.record(manager, disabled ? 'user.disabled' : 'user.enabled', by, id);
      }
      return updated;
    }, lockFor(patch));
  }

  /** Deletes an account with its sessions and keys. @throws AuthError `not_found`, `insufficient_role`, `last_owner` */
  async remove(by: Administrator, id: string): Promise<void> {
    await this.changing(by, id, async (manager, user) => {
      await this.keepAnOwner(manager, user);
      await manager.query('DELETE FROM users WHERE id = $1', [id]);
      await this.record(manager, 'user.deleted', by, id);
    }, 'FOR UPDATE');
  }

  /** Sets a password and ends the user's sessions. @throws AuthError `not_found`, `insufficient_role`, `validation_failed` */
  async setPassword(by: Administrator, id: string, password: string, minLength?: number): Promise<void> {
    const passwordHash = await this.hashFor(by, id, password, minLength);
    await this.changing(by, id, async (manager) => {
      await this.users.update(manager, id, { passwordHash });
      await this.sessions.revokeAllOfUser(manager, id);
      await this.record(manager, 'password.set', by, id);
    });
  }

  /** Opens a locked account. @throws AuthError `not_found`, `insufficient_role` */
  async unlock(by: Administrator, id: string): Promise<void> {
    await this.locked(by, id, async (manager) => {
      await this.throttle.unlock(manager, id);
      await this.record(manager, 'account.unlocked', by, id);
    });
  }

  /** Signs a user out everywhere. @throws AuthError `not_found`, `insufficient_role` */
  async signOut(by: Administrator, id: string): Promise<void> {
    await this.changing(by, id, async (manager) => {
      const ended = await this.sessions.revokeAllOfUser(manager, id);
      await this.record(manager, 'sessions.ended', by, id, { ended });
    });
  }

  /** A change after which the user's credentials may mean something else. */
  private changing<T>(by: Administrator, id: string, change: (manager: EntityManager, user: User) => Promise<T>, lock?: AccountLock): Promise<T> {
    return this.cache.changingUser(id, () => this.locked(by, id, change, lock));
  }

  /** One transaction on one account, whose row is locked so that the rules hold until the commit. */
  private locked<T>(
    by: Administrator,
    id: string,
    change: (manager: EntityManager, user: User) => Promise<T>,
    lock: AccountLock = 'FOR NO KEY UPDATE',
  ): Promise<T> {
    return this.dataSource.transaction(async (manager) => {
      await manager.query(`SELECT FROM users WHERE id = $1 ${lock}`, [id]);
      const user = await this.users.get(id, manager);
      requireMayTouch(by, user.role);
      return change(manager, user);
    });
  }

  /** The hash of a password for an account that there is, and that the administrator may touch. */
  private async hashFor(by: Administrator, id: string, password: string, minLength?: number, patch: UserPatch = {}): Promise<string> {
    const user = await this.users.get(id);
    requireMayTouch(by, user.role);
    return this.hashChosen(password, { ...user, ...patch }, minLength);
  }

  private async hashChosen(password: string, owner: PasswordOwner, minLength?: number): Promise<string> {
    await this.policy.require(password, owner, 'password', minLength);
    return this.hasher.hash(password);
  }

  private async keepAnOwner(manager: EntityManager, user: User): Promise<void> {
    if (user.role !== 'owner' || user.disabledAt !== null) return;
    if (!(await this.users.hasOtherOwner(manager, user.id))) throw new AuthError('last_owner');
  }

  private record<A extends AuditAction>(
    manager: EntityManager,
    action: A,
    by: Administrator,
    userId: string,
    detail?: AuditDetail<A>,
  ): Promise<void> {
    return this.auditLog.record(
      {
        action,
        actor: partyOf(by.principal),
        subject: { type: 'user', id: userId },
        client: by.client,
        detail: detail ?? null,
      },
      manager,
    );
  }
}

/**
 * Only an owner touches owners, or makes one. A key touches an administrator only if it may do everything anyway: with a
 * password of its choosing it would sign in as somebody who can do more than itself.
 * @throws AuthError `insufficient_role`, `insufficient_scope`
 */
function requireMayTouch(by: Administrator, role: Role): void {
  if (role === 'owner' && by.principal.role !== 'owner') {
    throw new AuthError('insufficient_role', { detail: 'Only an owner may do this to an owner.' });
  }
  if (by.principal.type === 'api-key' && role !== 'member' && !scopesCover(by.principal.scopes, '*')) {
    throw new AuthError('insufficient_scope', { requiredScopes: ['*'], detail: 'A key with fewer scopes than * may do this to members alone.' });
  }
}
