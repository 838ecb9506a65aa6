import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import type { Histogram } from 'prom-client';
import { processesOf, Settings } from '../config/index.js';
import { Metrics } from '../metrics/index.js';
import { HashGate } from './hash-gate.js';
import { hashesAtOnce, HashSlots } from './hash-slots.js';
import {
  costOfBcrypt, decoyOfCost, type ForeignHash, hashWithBcrypt, isBcrypt, mayDiffer, readForeignHash, verifyBcrypt,
  verifyBcryptOfOthers,
} from './password-hashes/index.js';

/** Upper bounds of how long one hash takes, in seconds: cost 10 to cost 15. */
const DURATIONS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The cheapest that bcrypt can do. */
const LEAST_COST = 4;

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

/** Password hashing with bcrypt (OWASP ASVS 2.4); what other systems hashed with is verified, and replaced. */
@Injectable()
export class PasswordHasher implements HashingTurn {
  private readonly gate: HashGate;
  private readonly slots: HashSlots;
  private readonly duration: Histogram;
  private readonly cost: number;
  /** Well-formed, of the configured cost, and the hash of nothing: comparing with it costs what a real one costs. */
  private readonly decoy: string;
  /** How long a comparison at the configured cost takes, once that was measured. */
  private usualMs: number | undefined;

  constructor(settings: Settings, metrics: Metrics) {
    const cores = availableParallelism() / processesOf(settings);
    this.gate = new HashGate(cores, metrics, 1);
    this.slots = new HashSlots(hashesAtOnce(cores));
    this.duration = metrics.histogram({ name: 'gatehouse_password_hash_duration_seconds', help: 'How long hashing or comparing one password took.' }, DURATIONS);
    this.cost = settings.bcryptCost;
    this.decoy = decoyOfCost(this.cost);
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
    return this.timed(() => hashWithBcrypt(password.normalize('NFKC'), this.cost));
  }

  private compareNow(password: string, stored: string | null): Promise<PasswordCheck> {
    const foreign = stored === null ? null : readForeignHash(stored);
    if (foreign !== null && !('fault' in foreign)) return this.compareForeign(password, foreign);
    const isReal = stored !== null && isBcrypt(stored);
    return this.compareBcrypt(password, isReal ? stored : this.decoy, isReal);
  }

  private async compareBcrypt(password: string, stored: string, isReal: boolean): Promise<PasswordCheck> {
    const cost = costOfBcrypt(stored);
    const spent = 2 ** (cost - this.cost);
    const normalized = password.normalize('NFKC');
    if (await this.timed(() => verifyBcrypt(normalized, stored))) return { matches: isReal, outdated: cost < this.cost };
    await this.spendRest(spent);
    // A hash that came from another system is of the password as it was typed, and of no more than bcrypt reads.
    if (!mayDiffer(password, normalized)) return { matches: false, outdated: true };
    const ofOthers = await this.timed(() => verifyBcryptOfOthers(password, stored));
    if (!ofOthers) await this.spendRest(spent);
    return { matches: isReal && ofOthers, outdated: true };
  }

  /** Such a hash serves once: it is replaced at the first login. */
  private async compareForeign(password: string, stored: ForeignHash): Promise<PasswordCheck> {
    this.usualMs ??= await this.measureDecoy();
    const normalized = password.normalize('NFKC');
    if (await this.verifyForeign(normalized, stored, this.usualMs)) return { matches: true, outdated: true };
    // As often as with bcrypt, which is also tried with what it reads of a long password. Here that would be the first time
    // again: its time is spent, but not on a hash that may be costlier.
    if (!mayDiffer(password, normalized)) return { matches: false, outdated: true };
    if (password !== normalized) return { matches: await this.verifyForeign(password, stored, this.usualMs), outdated: true };
    await verifyBcrypt('', this.decoy);
    return { matches: false, outdated: true };
  }

  private async verifyForeign(password: string, stored: ForeignHash, usualMs: number): Promise<boolean> {
    const since = performance.now();
    const matches = await this.timed(() => stored.verify(password));
    if (!matches) await this.spendRest((performance.now() - since) / usualMs);
    return matches;
  }

  /**
   * Does the rest of the work of a comparison at the configured cost. An imported account whose hash is cheaper would
   * otherwise be told by its quick answer from one that does not exist; one whose hash is costlier is, until its first
   * login.
   * @param spent the part of it that was done
   */
  private async spendRest(spent: number): Promise<void> {
    let rest = 1 - spent;
    for (let cost = this.cost - 1; cost >= LEAST_COST; cost -= 1) {
      const share = 2 ** (cost - this.cost);
      if (share > rest) continue;
      await verifyBcrypt('', decoyOfCost(cost));
      rest -= share;
    }
  }

  /** How many milliseconds a comparison at the configured cost takes. */
  private async measureDecoy(): Promise<number> {
    const since = performance.now();
    await verifyBcrypt('', this.decoy);
    return performance.now() - since;
  }

  private async timed<T>(work: () => Promise<T>): Promise<T> {
    const since = performance.now();
    const result = await work();
    this.duration.observe((performance.now() - since) / 1000);
    return result;
  }
}
