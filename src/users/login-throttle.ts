import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Counter } from 'prom-client';
import { type EntityManager, Repository } from 'typeorm';
import { Settings } from '../config/index.js';
import { violatedConstraint } from '../database/index.js';
import { AuthError } from '../errors/index.js';
import { Housekeeping } from '../housekeeping/index.js';
import { Metrics } from '../metrics/index.js';
import { foldIdentifier } from './identifiers.js';
import { LoginAttempts } from './login-attempts.entity.js';

/** Failures this old no longer count, for anyone; only then can the rows of unknown identifiers go unnoticed. */
const FORGOTTEN_AFTER_HOURS = 24;
const FORGOTTEN_AFTER = `interval '${String(FORGOTTEN_AFTER_HOURS)} hours'`;

/** One counter of consecutive failures. */
export interface AttemptCounter {
  readonly subject: string;
  readonly userId: string | null;
}

/** A guess that was counted and may now be checked. */
export interface CountedAttempt {
  /** It is the last one before the lock: if it is wrong, the account is locked from now on. */
  readonly last: boolean;
}

interface AttemptsRow {
  failures: number;
  locked_until: Date | null;
}

/** A refusal because of a lock. */
export class AccountLocked extends AuthError {
  /** @param first the first of this lock: those that follow tell nobody anything new */
  constructor(lockedUntil: Date, readonly first: boolean) {
    super('account_locked', { lockedUntil });
  }
}

/** Lockout (OWASP ASVS 2.2.1): a few wrong passwords in a row close an account for a while. */
@Injectable()
export class LoginThrottle {
  private readonly lockouts: Counter;

  constructor(
    @InjectRepository(LoginAttempts) private readonly attempts: Repository<LoginAttempts>,
    private readonly settings: Settings,
    housekeeping: Housekeeping,
    metrics: Metrics,
  ) {
    housekeeping.add({
      table: 'login_attempts', key: 'subject', since: 'updated_at', keptSeconds: FORGOTTEN_AFTER_HOURS * 60 * 60, unless: 'locked_until > now()',
    });
    // Of accounts and of identifiers that name nobody together: who reads the metrics must not learn which one it was.
    this.lockouts = metrics.counter({ name: 'gatehouse_lockouts_total', help: 'Locks that a series of wrong passwords brought.' });
  }

  /** The counter of an account, whichever of its identifiers was used; from a known device, that device's own. */
  forUser(userId: string, deviceId: string | null): AttemptCounter {
    return { subject: deviceId === null ? accountSubject(userId) : `device:${deviceId}:${userId}`, userId };
  }

  /** The counter of an identifier that names nobody: it must look the same from outside. */
  forUnknown(identifier: string): AttemptCounter {
    const digest = createHash('sha256').update(foldIdentifier(identifier)).digest('hex');
    return { subject: `unknown:${digest}`, userId: null };
  }

  /** The counter of one session asking for its user's current password: a stolen token cannot lock out the owner. */
  forSession(sessionId: string, userId: string): AttemptCounter {
    return { subject: `session:${sessionId}`, userId };
  }

  /**
   * Counts an attempt, before its password is looked at, in one statement: of a hundred parallel guesses only as many
   * get through as one after the other would.
   * @throws AccountLocked
   */
  async count(counter: AttemptCounter): Promise<CountedAttempt> {
    const limit = this.settings.lockoutAttempts;
    const row = await this.add(counter).catch((error: unknown) => {
      // The account was deleted while its attempt was being counted: it counts like one for a name that nobody has.
      if (violatedConstraint(error) !== 'login_attempts_user_id_fkey') throw error;
      return this.add(counter);
    });
    if (row === undefined) throw new Error('the attempt was not counted');
    const { failures, locked_until: lockedUntil } = row;
    if (failures > limit && lockedUntil !== null) throw new AccountLocked(lockedUntil, failures === limit + 1);
    return { last: failures === limit };
  }

  /** The last attempt before the lock was wrong. */
  noteLock(): void {
    this.lockouts.inc();
  }

  /** The attempt was right: the counter starts at 0 again. */
  async reset(counter: AttemptCounter): Promise<void> {
    await this.attempts.delete({ subject: counter.subject });
  }

  /** Opens a locked account, on every device. */
  async unlock(manager: EntityManager, userId: string): Promise<void> {
    await manager.delete(LoginAttempts, { userId });
  }

  private async add({ subject, userId }: AttemptCounter): Promise<AttemptsRow | undefined> {
    const { lockoutAttempts, lockoutDuration } = this.settings;
    const [row] = await this.attempts.query<AttemptsRow[]>(
      `INSERT INTO login_attempts AS a (subject, user_id, failures, locked_until)
       VALUES ($1, (SELECT id FROM users WHERE id = $2), 1, CASE WHEN $3::int <= 1 THEN now() + make_interval(secs => $4::int) END)
       ON CONFLICT (subject) DO UPDATE SET
         failures = CASE
           WHEN a.locked_until > now() THEN a.failures + 1
           WHEN a.locked_until IS NOT NULL OR a.updated_at < now() - ${FORGOTTEN_AFTER} THEN 1
           ELSE a.failures + 1 END,
         locked_until = CASE
           WHEN a.locked_until > now() THEN a.locked_until
           WHEN (CASE WHEN a.locked_until IS NOT NULL OR a.updated_at < now() - ${FORGOTTEN_AFTER} THEN 1
                 ELSE a.failures + 1 END) >= $3::int THEN now() + make_interval(secs => $4::int) END,
         updated_at = now()
       RETURNING failures, locked_until`,
      [subject, userId, lockoutAttempts, lockoutDuration],
    );
    return row;
  }
}

/** The subject of an account's own counter, as in `login_attempts`. */
export function accountSubject(userId: string): string {
  return `user:${userId}`;
}
