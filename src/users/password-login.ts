import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import { NIL as NIL_UUID } from 'uuid';
import { AuditLog } from '../audit/index.js';
import { AuthError, invalidField } from '../errors/index.js';
import { type Client, isSoundSecret, UNSOUND_SECRET } from '../http/index.js';
import { foldIdentifier } from './identifiers.js';
import { AccountLocked, accountSubject, type AttemptCounter, LoginThrottle } from './login-throttle.js';
import { type HashingTurn, PasswordHasher } from './password-hasher.js';
import { IS_SEEDED, SeededAccount } from './seeded-account.js';
import { User } from './user.entity.js';
import type { UserView } from './users.service.js';

/** What somebody signs in with. */
export interface Credentials {
  /** An email address or a username. */
  identifier: string;
  password: string;
  /** Finds the device, known by its cookie, that an account was signed in to from before. */
  deviceOf: (userId: string) => string | null;
}

/** What is begun with a right password, in the transaction that notes the login. */
export type Begin<T> = (manager: EntityManager, account: UserView) => Promise<T>;

/** A password that was right for this state of its account. */
interface RightPassword {
  readonly user: User;
  readonly hash: string;
  /** Replaces an outdated hash. */
  readonly newHash: string | null;
  readonly isSeeded: boolean;
}

/** Why somebody elsewhere may not sign in. */
const DEFAULT_PASSWORD = 'The password is still the default one: sign in on the machine itself and change it.';

/** How often an account may change under a login before it is given up. */
const MOST_TRIES = 3;

/** Checks a password at login: lockout, hashing, and the same answer in the same time whatever was wrong. */
@Injectable()
export class PasswordLogin {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly hasher: PasswordHasher,
    private readonly throttle: LoginThrottle,
    private readonly seededAccount: SeededAccount,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Signs in: verifies a password and begins what it is good for. The attempt is counted once its turn at hashing has
   * come, and the next one for the same counter has to wait until this one is either a failure or a login, so that many
   * right logins at once are not taken for a series of wrong ones.
   * @throws AuthError `invalid_credentials`, `account_locked`, `account_disabled` and `local_only` (the password was
   *   right), `overloaded`, `validation_failed` when the password is no text that anybody types
   */
  async signIn<T>(credentials: Credentials, client: Client, begin: Begin<T>): Promise<T> {
    if (!isSoundSecret(credentials.password)) throw invalidField('password', UNSOUND_SECRET);
    const userId = await this.find(credentials.identifier);
    const counter =
      userId === null
        ? this.throttle.forUnknown(credentials.identifier)
        : this.throttle.forUser(userId, credentials.deviceOf(userId));
    return this.hasher.inTurn(counter.subject, async (turn) => {
      const { last } = await this.count(counter, client);
      // A password changed, or a hash replaced by another login, between the check and the commit: look again.
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const right = await this.check(turn, userId, credentials.password);
        if (right === null) break;
        if (right.user.disabledAt !== null) return this.refuse(counter, 'account_disabled', client);
        if (this.seededAccount.isBarred(right.user, right.isSeeded, client)) return this.refuse(counter, 'local_only', client);
        const begun = await this.users.manager.transaction(async (manager) => {
          const account = await complete(manager, right, counter);
          return account === null ? null : { value: await begin(manager, account) };
        });
        if (begun !== null) return begun.value;
      }
      await this.failed(counter, last, 'wrong_credentials', client);
      throw new AuthError('invalid_credentials');
    });
  }

  /** The account that an identifier names. */
  private async find(identifier: string): Promise<string | null> {
    const folded = foldIdentifier(identifier);
    // PostgreSQL has no NUL in its text; nobody is called so.
    if (folded.includes('\0')) return null;
    const where = folded.includes('@') ? { emailFolded: folded } : { usernameFolded: folded };
    const user = await this.users.findOne({ select: { id: true }, where });
    return user?.id ?? null;
  }

  /** Compares a password with the account's as it is now; with a decoy, after the same statement, where there is none. */
  private async check(turn: HashingTurn, userId: string | null, password: string): Promise<RightPassword | null> {
    const { entities: [user], raw: [row] } = await this.users
      .createQueryBuilder('user')
      .addSelect('user.passwordHash')
      .addSelect(IS_SEEDED, 'is_seeded')
      .where({ id: userId ?? NIL_UUID })
      .getRawAndEntities<{ is_seeded: boolean }>();
    const hash = user?.passwordHash ?? null;
    const { matches, outdated } = await turn.compare(password, hash);
    if (user === undefined || hash === null || !matches) return null;
    return { user, hash, newHash: outdated ? await turn.hash(password) : null, isSeeded: row?.is_seeded === true };
  }

  private async count(counter: AttemptCounter, client: Client): Promise<{ last: boolean }> {
    try {
      return await this.throttle.count(counter);
    } catch (error) {
      // One event a lock: the log is not for whoever goes on trying to fill.
      if (error instanceof AccountLocked && error.first) await this.failed(counter, false, 'account_locked', client);
      throw error;
    }
  }

  /** Refuses in spite of a right password, which therefore is no failure to be counted. */
  private async refuse(counter: AttemptCounter, code: 'account_disabled' | 'local_only', client: Client): Promise<never> {
    await this.throttle.reset(counter);
    await this.failed(counter, false, code, client);
    throw new AuthError(code, code === 'local_only' ? { detail: DEFAULT_PASSWORD } : {});
  }

  /** One event for the failure, or for the lock it brought: the same work for known and unknown accounts. */
  private async failed(counter: AttemptCounter, locked: boolean, reason: string, client: Client): Promise<void> {
    if (locked) this.throttle.noteLock();
    await this.auditLog.record({
      action: locked ? 'account.locked' : 'login.failed',
      outcome: 'failure',
      subject: counter.userId === null ? null : { type: 'user', id: counter.userId },
      client,
      detail: { reason: counter.userId === null && reason === 'wrong_credentials' ? 'unknown_account' : reason },
    });
  }
}

/**
 * Notes the login in the transaction that starts the session: locks the account's row, sets the time of the last login
 * and the counter of failures back, and replaces an outdated hash. From a known device the account's own counter stays,
 * and may be locked. `null` when the password or the account is no longer the one that was checked: a password changed
 * or an account disabled in between must win.
 */
async function complete(manager: EntityManager, { user, hash, newHash }: RightPassword, counter: AttemptCounter): Promise<UserView | null> {
  // The statement sees the counter that it sets back as it was before.
  const [rows] = await manager.query<[{ last_login_at: Date; locked_until: Date | null }[], number]>(
    `WITH reset AS (DELETE FROM login_attempts WHERE subject = $4)
     UPDATE users SET last_login_at = now(), password_hash = coalesce($3, password_hash)
      WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL
      RETURNING last_login_at,
                (SELECT locked_until FROM login_attempts WHERE subject = $5 AND subject <> $4 AND locked_until > now()) AS locked_until`,
    [user.id, hash, newHash, counter.subject, accountSubject(user.id)],
  );
  const [row] = rows;
  if (row === undefined) return null;
  user.lastLoginAt = row.last_login_at;
  return { user, lockedUntil: row.locked_until };
}
