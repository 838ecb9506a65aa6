import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import bcrypt from 'bcrypt';
import type { Histogram } from 'prom-client';
import { processesOf, Settings } from '../config/index.js';
import { Metrics } from '../metrics/index.js';
import { HashGate } from './hash-gate.js';
import { hashesAtOnce, HashSlots } from './hash-slots.js';

/** bcrypt reads this many bytes, and stops at the first NUL. */
const BCRYPT_BYTES = 72;

/** Upper bounds of how long one hash takes, in seconds: cost 10 to cost 15. */
const DURATIONS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What PHP and Apache write for what everybody else calls `$2b$`; node's bcrypt does not know it. */
const PHP_VERSION = /^\$2y\$/;

/** What a comparison found. */
export interface PasswordCheck {
  matches: boolean;
  /** The hash is cheaper than it should be by now, or is of another form of the password. */
  outdated: boolean;
}

/** Compares and hashes passwords in the turn that the gate has given. */
export interface HashingTurn {
  compare(password: string, hash: string | null): Promise<PasswordCheck>;
  hash(password: string): Promise<string>;
}

/** Password hashing with bcrypt (OWASP ASVS 2.4). */
@Injectable()
export class PasswordHasher implements HashingTurn {
  private readonly gate: HashGate;
  private readonly slots: HashSlots;
  private readonly duration: Histogram;
  private readonly cost: number;
  /** Well-formed, of the configured cost, and the hash of nothing: comparing with it costs what a real one costs. */
  private readonly decoy: string;

  constructor(settings: Settings, metrics: Metrics) {
    const cores = availableParallelism() / processesOf(settings);
    this.gate = new HashGate(cores, metrics, 1);
    this.slots = new HashSlots(hashesAtOnce(cores));
    this.duration = metrics.histogram({ name: 'gatehouse_password_hash_duration_seconds', help: 'How long hashing or comparing one password took.' }, DURATIONS);
    this.cost = settings.bcryptCost;
    this.decoy = `$2b$${String(this.cost)}$${'.'.repeat(22)}${'/'.repeat(31)}`;
  }

  /**
   * Waits for a turn at hashing, then runs work that may compare, ask the database in between, and hash.
   * @param about what no two may work on at once in this process; `null` for nothing
   * @throws AuthError `overloaded` when too many wait already
   */
  inTurn<T>(about: string | null, work: (turn: HashingTurn) => Promise<T>): Promise<T> {
    return this.gate.inTurn(about, () =>
      work({
        compare: (password, hash) => this.slots.run(() => this.compareNow(password, hash)),
        hash: (password) => this.slots.run(() => this.hashNow(password)),
      }),
    );
  }

  /** @throws AuthError `overloaded` */
  hash(password: string): Promise<string> {
    return this.inTurn(null, (turn) => turn.hash(password));
  }

  /**
   * Compares a password with a hash, or with a decoy where there is none: an account that does not exist takes as long.
   * @throws AuthError `overloaded`
   */
  compare(password: string, hash: string | null): Promise<PasswordCheck> {
    return this.inTurn(null, (turn) => turn.compare(password, hash));
  }

  /** Has whoever still waits for a turn answered `overloaded`: the server stops before it could come to them. */
  sendAway(): void {
    this.gate.close();
  }

  private hashNow(password: string): Promise<string> {
    return this.timed(() => bcrypt.hash(bcryptInput(password.normalize('NFKC')), this.cost));
  }

  private async compareNow(password: string, hash: string | null): Promise<PasswordCheck> {
    const stored = (hash ?? this.decoy).replace(PHP_VERSION, '$2b$$');
    const normalized = password.normalize('NFKC');
    if (await this.timed(() => bcrypt.compare(bcryptInput(normalized), stored))) {
      return { matches: hash !== null, outdated: bcrypt.getRounds(stored) < this.cost };
    }
    // A hash that came from another system is of the password as it was typed.
    const asTyped = normalized !== password && fitsBcrypt(password) && (await this.timed(() => bcrypt.compare(password, stored)));
    return { matches: hash !== null && asTyped, outdated: true };
  }

  private async timed<T>(work: () => Promise<T>): Promise<T> {
    const since = performance.now();
    const result = await work();
    this.duration.observe((performance.now() - since) / 1000);
    return result;
  }
}

/**
 * What bcrypt is given: the password itself where it can read all of it, so that other systems' hashes verify, else a
 * digest of it, so that what comes after the 72nd byte or a NUL counts too.
 */
function bcryptInput(password: string): string {
  return fitsBcrypt(password) ? password : createHash('sha512').update(password, 'utf8').digest('base64');
}

function fitsBcrypt(password: string): boolean {
  return Buffer.byteLength(password, 'utf8') <= BCRYPT_BYTES && !password.includes('\0');
}
