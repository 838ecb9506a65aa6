import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, Repository } from 'typeorm';
import { Settings } from '../config/index.js';
import type { Client } from '../http/index.js';
import { DeclaredAccount } from './declared-account.entity.js';
import { PasswordHasher } from './password-hasher.js';
import { User } from './user.entity.js';
import { UsersService } from './users.service.js';

/** How the rows are called: whoever reads the documentation knows the password of the second. */
const CHOSEN = 'seed';
const DEFAULT = 'seed-default';

/** Whether the `users` row of a query is the account that was seeded with the default password, in SQL. */
export const IS_SEEDED = `EXISTS (SELECT FROM declared_accounts d WHERE d.name = '${DEFAULT}' AND d.user_id = "user".id)`;

/** The account that is there from the first start on, so that somebody can sign in. */
export interface Seed {
  email: string;
  password: string;
  /** The password is the one in the documentation. */
  isDefault: boolean;
}

/** The seeded account as it is now. */
export interface Seeded {
  user: User;
  /** It still has the password that everybody knows. */
  hasDefaultPassword: boolean;
}

/**
 * The account that a first start seeds. While its password is the default one, it is good on this machine alone,
 * whichever wire somebody signs in through: an open port with a known password is an open door.
 */
@Injectable()
export class SeededAccount {
  constructor(
    @InjectRepository(DeclaredAccount) private readonly declared: Repository<DeclaredAccount>,
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly settings: Settings,
  ) {}

  /** Makes the account, an owner. No rule of strength applies: nobody has chosen this password yet. */
  async create(manager: EntityManager, { email, password, isDefault }: Seed): Promise<User> {
    const passwordHash = await this.hasher.hash(password);
    const user = await this.users.create(manager, { email, username: null, name: null, role: 'owner', passwordHash });
    await manager.insert(DeclaredAccount, { name: isDefault ? DEFAULT : CHOSEN, userId: user.id, email, passwordHash });
    return user;
  }

  /** The seeded account; `null` when none was seeded, or it has been deleted. */
  async find(manager: EntityManager = this.declared.manager): Promise<Seeded | null> {
    const row = await manager.findOneBy(DeclaredAccount, { name: In([DEFAULT, CHOSEN]) });
    const user = row === null ? null : await manager.findOneBy(User, { id: row.userId });
    if (row === null || user === null) return null;
    return { user, hasDefaultPassword: row.name === DEFAULT && user.passwordChangedAt === null };
  }

  /**
   * Whether a client may not sign in as a user because everybody knows the password.
   * @param isSeeded what `IS_SEEDED` said of the user
   */
  isBarred(user: User, isSeeded: boolean, client: Client): boolean {
    return isSeeded && user.passwordChangedAt === null && !client.isLocal && !this.settings.allowDefaultPassword;
  }
}
