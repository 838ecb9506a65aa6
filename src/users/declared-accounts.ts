import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { SessionsService } from '../sessions/index.js';
import { DeclaredAccount } from './declared-account.entity.js';
import { PasswordHasher } from './password-hasher.js';
import type { User } from './user.entity.js';
import { UsersService } from './users.service.js';

/** The account that the environment declares; there is one. */
const ADMIN = 'admin';

/** What a start did to the declared account. */
export interface DeclaredOutcome {
  done: 'created' | 'updated' | 'unchanged';
  userId: string;
}

/** Accounts whose email and password the environment declares (`ADMIN_EMAIL`, `ADMIN_PASSWORD`). */
@Injectable()
export class DeclaredAccounts {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly hasher: PasswordHasher,
  ) {}

  /**
   * Makes the declared account, or brings it in line where the declaration changed since the last start. A password that
   * its person changed in the meantime stays until the variable changes. A new password ends the account's sessions;
   * the caller has them forgotten after the commit.
   * @throws Error when the address belongs to an account that is no owner: making it one would be a surprise
   */
  async match(manager: EntityManager, email: string, password: string): Promise<DeclaredOutcome> {
    const declared = await manager.findOneBy(DeclaredAccount, { name: ADMIN });
    if (declared === null) return this.declare(manager, email, password);
    const newEmail = declared.email !== email;
    const newPassword = !(await this.hasher.compare(password, declared.passwordHash)).matches;
    if (!newEmail && !newPassword) return { done: 'unchanged', userId: declared.userId };
    const passwordHash = newPassword ? await this.hasher.hash(password) : declared.passwordHash;
    await this.users.update(manager, declared.userId, {
      ...(newEmail ? { email } : {}),
      ...(newPassword ? { passwordHash } : {}),
    });
    if (newPassword) await this.sessions.revokeAllOfUser(manager, declared.userId);
    await manager.update(DeclaredAccount, { name: ADMIN }, { email, passwordHash });
    return { done: 'updated', userId: declared.userId };
  }

  private async declare(manager: EntityManager, email: string, password: string): Promise<DeclaredOutcome> {
    const passwordHash = await this.hasher.hash(password);
    const existing = await this.users.findByIdentifier(email, manager);
    const user = existing === null ? await this.create(manager, email, passwordHash) : await this.adopt(manager, existing, passwordHash);
    await manager.insert(DeclaredAccount, { name: ADMIN, userId: user.id, email, passwordHash });
    return { done: 'created', userId: user.id };
  }

  private create(manager: EntityManager, email: string, passwordHash: string): Promise<User> {
    return this.users.create(manager, { email, username: null, name: null, role: 'owner', passwordHash });
  }

  private async adopt(manager: EntityManager, user: User, passwordHash: string): Promise<User> {
    if (user.role !== 'owner') {
      throw new Error(`ADMIN_EMAIL is the address of an account that is no owner (${user.id}); make it one first, or use another`);
    }
    // This first: a login that the old password has let in waits for it, and begins no session any more.
    const adopted = await this.users.update(manager, user.id, { passwordHash });
    await this.sessions.revokeAllOfUser(manager, user.id);
    return adopted;
  }
}
