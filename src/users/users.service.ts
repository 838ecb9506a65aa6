import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository, type SelectQueryBuilder } from 'typeorm';
import { v7 as uuidv7, validate as isUuid } from 'uuid';
import type { Role } from '../access/index.js';
import { countAbout, LOCKS, type PreparedQuery, PreparedQueries, takeLock, violatedConstraint } from '../database/index.js';
import { AuthError, invalidField } from '../errors/index.js';
import { afterId, type Page, pageOf, type PageQuery } from '../http/index.js';
import { foldIdentifier } from './identifiers.js';
import { accountSubject } from './login-throttle.js';
import { LoginAttempts } from './login-attempts.entity.js';
import { matching } from './user-search.js';
import { User } from './user.entity.js';

/** A user as others may see them: the account, and whether it is locked at this moment. */
export interface UserView {
  user: User;
  lockedUntil: Date | null;
}

/** What an account is made of. At least one of `email` and `username` is there. */
export interface NewUser {
  email: string | null;
  username: string | null;
  name: string | null;
  pictureUrl?: string | null;
  role: Role;
  /** As `PasswordHasher.hash` gave it; `null`: nobody can sign in until one is set. */
  passwordHash: string | null;
  disabledAt?: Date | null;
  /** The first session begins together with it: that is its first login. */
  signedIn?: boolean;
}

/** What may change of an account; what is absent stays. */
export interface UserPatch {
  email?: string | null;
  username?: string | null;
  name?: string | null;
  pictureUrl?: string | null;
  role?: Role;
  passwordHash?: string;
  disabledAt?: Date | null;
}

const VIEW = `
  SELECT u.id, u.email, u.email_folded AS "emailFolded", u.username, u.username_folded AS "usernameFolded", u.name,
         u.picture_url AS "pictureUrl", u.role, u.password_changed_at AS "passwordChangedAt", u.disabled_at AS "disabledAt",
         u.last_login_at AS "lastLoginAt", u.created_at AS "createdAt", u.updated_at AS "updatedAt",
         (SELECT a.locked_until FROM login_attempts a
           WHERE a.subject = '${accountSubject('')}' || u.id AND a.locked_until > now()) AS "lockedUntil"`;

const ACCOUNT: PreparedQuery = { name: 'account', text: `${VIEW} FROM users u WHERE u.id = $1` };

/** The account behind a session that is alive. */
const SESSION_ACCOUNT: PreparedQuery = {
  name: 'session-account',
  text: `${VIEW} FROM sessions s JOIN users u ON u.id = s.user_id
          WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL`,
};

interface ViewRow extends Omit<User, 'passwordHash'> {
  lockedUntil: Date | null;
}

/** The accounts: looking up, adding, changing. Who may do it is decided by the callers. */
@Injectable()
export class UsersService {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly queries: PreparedQueries,
  ) {}

  /** @throws AuthError `not_found` */
  async get(id: string, manager: EntityManager = this.users.manager): Promise<User> {
    const user = await manager.findOneBy(User, { id });
    if (user === null) throw new AuthError('not_found');
    return user;
  }

  /** @throws AuthError `not_found` */
  async getView(id: string): Promise<UserView> {
    const row = await this.queries.first<ViewRow>(ACCOUNT, [id]);
    if (row === null) throw new AuthError('not_found');
    return viewOf(row);
  }

  /** The user behind a session; `null` when it is not alive, or its user is disabled. */
  async findViewBehind(sessionId: string): Promise<UserView | null> {
    const row = await this.queries.first<ViewRow>(SESSION_ACCOUNT, [sessionId]);
    return row === null ? null : viewOf(row);
  }

  /** Users, newest first; `search` is part of an email, a username or a name. */
  async find(search: string | undefined, page: PageQuery): Promise<Page<UserView>> {
    const after = afterId(page);
    const views = await this.viewsWhere((query) => {
      query.orderBy('user.id', 'DESC').limit(page.limit + 1);
      if (after !== undefined) query.andWhere('user.id < :after', { after });
      if (search !== undefined) query.andWhere(matching(search));
    });
    const rows = views.map((view) => ({ id: view.user.id, view }));
    const { items, nextCursor } = pageOf(rows, page.limit);
    return { items: items.map((row) => row.view), nextCursor };
  }

  /**
   * Users by position, newest first, and how many there are in all, which is exact up to ten thousand: for wires that
   * page by offset. Those before the position are passed over in the index.
   */
  async findRange(search: string | undefined, offset: number, limit: number): Promise<{ users: User[]; total: number }> {
    const query = this.newestFirst(search).limit(limit);
    if (offset > 0) query.andWhere(`user.id <= (${this.newestFirst(search).select('user.id').offset(offset).limit(1).getQuery()})`);
    const users = await query.getMany();
    const atTheEnd = users.length < limit && (users.length > 0 || offset === 0);
    return { users, total: atTheEnd ? offset + users.length : await this.count(search) };
  }

  /** Whether anybody owns this instance, or has done so and signed in. */
  hasOwner(manager: EntityManager = this.users.manager, { signedIn = false } = {}): Promise<boolean> {
    const query = owners(manager);
    if (signedIn) query.andWhere('user.last_login_at IS NOT NULL');
    return query.getExists();
  }

  /** The id of the first owner who may sign in, if there is one. */
  async findOwnerId(): Promise<string | null> {
    const owner = await owners(this.users.manager).select('user.id').andWhere('user.disabled_at IS NULL').orderBy('user.id').limit(1).getOne();
    return owner?.id ?? null;
  }

  /** Whether there is any account at all. */
  hasUsers(manager: EntityManager = this.users.manager): Promise<boolean> {
    return manager.exists(User);
  }

  /** The account that an email address or a username names. */
  findByIdentifier(identifier: string, manager: EntityManager = this.users.manager): Promise<User | null> {
    const folded = foldIdentifier(identifier);
    return manager.findOneBy(User, folded.includes('@') ? { emailFolded: folded } : { usernameFolded: folded });
  }

  /** The account that an id, an email address or a username names. */
  async findByName(name: string): Promise<User | null> {
    const byId = isUuid(name) ? await this.users.findOneBy({ id: name }) : null;
    return byId ?? this.findByIdentifier(name);
  }

  /** The owners who can sign in, oldest first. */
  findOwners(manager: EntityManager = this.users.manager): Promise<User[]> {
    return owners(manager).andWhere('user.disabled_at IS NULL').orderBy('user.id').getMany();
  }

  /** The account, where there is one alone. */
  async findOnly(): Promise<User | null> {
    const [only, another] = await this.users.find({ take: 2 });
    return another === undefined ? (only ?? null) : null;
  }

  /** @throws AuthError `email_taken`, `username_taken` */
  async create(manager: EntityManager, { signedIn = false, ...account }: NewUser): Promise<User> {
    const id = uuidv7();
    const lastLoginAt = signedIn ? { lastLoginAt: () => 'now()' } : {};
    await this.refusingTaken(() => manager.insert(User, { id, ...account, ...folded(account), ...lastLoginAt }));
    return this.get(id, manager);
  }

  /**
   * Changes an account.
   * @throws AuthError `not_found`, `email_taken`, `username_taken`, `validation_failed` when no identifier would be left
   */
  async update(manager: EntityManager, id: string, patch: UserPatch): Promise<User> {
    const user = await this.get(id, manager);
    const { email = user.email, username = user.username } = patch;
    if (email === null && username === null) throw invalidField('email', 'an account needs an email or a username');
    await this.refusingTaken(() =>
      manager.update(User, { id }, {
        ...patch,
        ...folded(patch),
        ...(patch.passwordHash === undefined ? {} : { passwordChangedAt: () => 'now()' }),
        updatedAt: () => 'now()',
      }),
    );
    return this.get(id, manager);
  }

  /** Whether an owner other than this one could still sign in. Holds the lock that keeps it so until the commit. */
  async hasOtherOwner(manager: EntityManager, id: string): Promise<boolean> {
    await takeLock(manager, LOCKS.owners);
    return owners(manager).andWhere('user.disabled_at IS NULL AND user.id <> :id', { id }).getExists();
  }

  private count(search: string | undefined): Promise<number> {
    const ids = this.newestFirst(search).select('user.id');
    // All of them are counted along an index; those that a search finds, in whichever order they come.
    return countAbout(search === undefined ? ids : ids.orderBy());
  }

  private newestFirst(search: string | undefined): SelectQueryBuilder<User> {
    const query = this.users.createQueryBuilder('user').orderBy('user.id', 'DESC');
    return search === undefined ? query : query.where(matching(search));
  }

  private async viewsWhere(
    narrow: (query: ReturnType<Repository<User>['createQueryBuilder']>) => unknown,
  ): Promise<UserView[]> {
    const query = this.users
      .createQueryBuilder('user')
      // Not joined: of one account after the other, so that the counters of others are not read along.
      .addSelect(
        (lock) =>
          lock
            .select('attempts.locked_until')
            .from(LoginAttempts, 'attempts')
            .where(`attempts.subject = '${accountSubject('')}' || "user"."id" AND attempts.locked_until > now()`),
        'locked_until',
      );
    narrow(query);
    const { entities, raw } = await query.getRawAndEntities<{ locked_until: Date | null }>();
    return entities.map((user, index) => ({ user, lockedUntil: raw[index]?.locked_until ?? null }));
  }

  private async refusingTaken<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      const constraint = violatedConstraint(error);
      if (constraint === 'users_email_key') throw new AuthError('email_taken', { fields: [taken('email')], cause: error });
      if (constraint === 'users_username_key') {
        throw new AuthError('username_taken', { fields: [taken('username')], cause: error });
      }
      throw error;
    }
  }
}

function viewOf({ lockedUntil, ...columns }: ViewRow): UserView {
  return { user: Object.assign(new User(), columns), lockedUntil };
}

/** The owners, by a partial index: the role is written out, for a parameter would not find it. */
function owners(manager: EntityManager): SelectQueryBuilder<User> {
  return manager.createQueryBuilder(User, 'user').where("user.role = 'owner'");
}

function taken(field: string): { field: string; message: string } {
  return { field, message: 'is already in use' };
}

/** The columns that identifiers are compared by, for those identifiers that are given. */
function folded(account: { email?: string | null; username?: string | null }): Partial<User> {
  const { email, username } = account;
  return {
    ...(email === undefined ? {} : { emailFolded: email === null ? null : foldIdentifier(email) }),
    ...(username === undefined ? {} : { usernameFolded: username === null ? null : foldIdentifier(username) }),
  };
}
