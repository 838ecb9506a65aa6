import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AuthError } from '../errors/index.js';
import { firstGuesses } from './known-passwords.js';
import { PasswordHasher } from './password-hasher.js';

/** Owners are few; the oldest are looked at. */
const MOST_OWNERS = 20;

/** How owners' passwords are tried. */
export interface Guessing {
  /** How many of the commonest passwords beside the documented ones. */
  readonly mostCommon: number;
  /** How many at a time. */
  readonly atOnce: number;
  /** Milliseconds that the answer may take; what is not done by then goes on, for the next time. */
  readonly patienceMs: number;
}

/** What has been found out. */
export interface KnownPasswords {
  /** The names of owners whose password is one that is tried first. */
  readonly owners: readonly string[];
  /** Whether all has been tried. */
  readonly complete: boolean;
}

interface Owner {
  readonly id: string;
  readonly email: string | null;
  readonly username: string | null;
  readonly password_hash: string;
}

/** What was found out about one hash: it says nothing of another one, so nothing has to be forgotten when it changes. */
interface Tried {
  readonly hash: string;
  readonly guesses: number;
  readonly found: boolean;
}

/**
 * Looks for owners whose password is one that is tried first. Each guess costs what a login costs, takes its turn behind
 * those of people, and is made once for each hash.
 */
@Injectable()
export class OwnerPasswords {
  private readonly tried = new Map<string, Tried>();
  private round: Promise<void> | null = null;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly hasher: PasswordHasher,
  ) {}

  /** Tries, for as long as the patience lasts, and says what is known then. */
  async findKnown({ mostCommon, atOnce, patienceMs }: Guessing): Promise<KnownPasswords> {
    const owners = await this.dataSource.query<Owner[]>(
      `SELECT id, email, username, password_hash FROM users
        WHERE role = 'owner' AND disabled_at IS NULL AND password_hash IS NOT NULL ORDER BY id LIMIT ${String(MOST_OWNERS)}`,
    );
    const asked = await Promise.all(owners.map(async (owner) => ({ owner, guesses: await firstGuesses([owner.email, owner.username], mostCommon) })));
    this.round ??= this.tryAll(asked, atOnce).finally(() => { this.round = null; });
    const enough = new AbortController();
    const waited = patienceMs === Infinity ? [] : [delay(patienceMs, undefined, { signal: enough.signal }).catch(() => undefined)];
    await Promise.race([this.round, ...waited]);
    enough.abort();
    const known = asked.map(({ owner, guesses }) => ({ owner, guesses, before: this.soFar(owner) }));
    return {
      owners: known.filter(({ before }) => before.found).map(({ owner: { email, username, id } }) => email ?? username ?? id),
      complete: known.every(({ guesses, before }) => before.found || before.guesses >= guesses.length),
    };
  }

  private async tryAll(asked: readonly { owner: Owner; guesses: readonly string[] }[], atOnce: number): Promise<void> {
    try {
      for (const { owner, guesses } of asked) {
        for (let before = this.soFar(owner); !before.found && before.guesses < guesses.length; before = this.soFar(owner)) {
          const some = guesses.slice(before.guesses, before.guesses + atOnce);
          const matches = await Promise.all(some.map((guess) => this.hasher.compare(guess, owner.password_hash)));
          this.tried.set(owner.id, { hash: owner.password_hash, guesses: before.guesses + some.length, found: matches.some((check) => check.matches) });
        }
      }
    } catch (error) {
      // People who wait to sign in, and a server that stops, go first.
      if (!(error instanceof AuthError) || error.code !== 'overloaded') throw error;
    }
  }

  private soFar({ id, password_hash: hash }: Owner): Tried {
    const before = this.tried.get(id);
    return before?.hash === hash ? before : { hash, guesses: 0, found: false };
  }
}
