import type { Histogram } from 'prom-client';
import { AuthError } from '../errors/index.js';
import type { Metrics } from '../metrics/index.js';
import { hashesAtOnce } from './hash-slots.js';

/** Upper bounds of the times that are waited, in seconds. */
const WAITS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Who would have to wait longer than this many others is sent away. */
const MOST_WAITING = 200;

interface Waiting {
  readonly about: string | null;
  readonly begin: () => void;
  readonly giveUp: (error: AuthError) => void;
}

/**
 * Lets a few password hashes run at a time and the rest wait in line. Without it a login storm occupies every libuv
 * thread, and each file read and name look-up of the process waits behind hashes.
 */
export class HashGate {
  private readonly most: number;
  private running = 0;
  private readonly busy = new Set<string>();
  private readonly waiting: Waiting[] = [];
  private readonly wait: Histogram;
  private closed = false;

  /**
   * @param cores how many of the machine's this process may count on
   * @param spare turns beyond the hashes that run at a time (`HashSlots`): while one asks the database, before its hash or
   *   after it, the cores have work
   */
  constructor(cores: number, metrics: Metrics, spare = 0) {
    this.most = hashesAtOnce(cores) + spare;
    metrics.gauge({ name: 'gatehouse_password_hash_queue_length', help: 'Who waits for a turn at hashing a password.' }, () => this.waiting.length);
    metrics.gauge({ name: 'gatehouse_password_hash_running', help: 'Turns at hashing that are taken.' }, () => this.running);
    this.wait = metrics.histogram({ name: 'gatehouse_password_hash_wait_seconds', help: 'How long a turn at hashing was waited for.' }, WAITS);
  }

  /**
   * Runs work when its turn comes.
   * @param about what the work is about, if there must be no other work about it at the same time: whoever has it to
   *   wait for lets the others in the line go first
   * @throws AuthError `overloaded` at once when the line is full, and to whoever is in it when the gate closes
   */
  async inTurn<T>(about: string | null, work: () => Promise<T>): Promise<T> {
    if (this.closed) throw stopping();
    const since = performance.now();
    if (this.mayBegin(about)) {
      this.take(about);
    } else {
      if (this.waiting.length >= MOST_WAITING) throw new AuthError('overloaded', { retryAfterSeconds: 5 });
      // Whoever ends takes the turn for the next in line: nobody overtakes between the two.
      await new Promise<void>((begin, giveUp) => this.waiting.push({ about, begin, giveUp }));
    }
    try {
      this.wait.observe((performance.now() - since) / 1000);
      return await work();
    } finally {
      this.release(about);
    }
  }

  /** Sends away whoever waits or comes later; what has begun goes on. */
  close(): void {
    this.closed = true;
    for (const { giveUp } of this.waiting.splice(0)) giveUp(stopping());
  }

  private mayBegin(about: string | null): boolean {
    return this.running < this.most && (about === null || !this.busy.has(about));
  }

  private take(about: string | null): void {
    this.running += 1;
    if (about !== null) this.busy.add(about);
  }

  private release(about: string | null): void {
    this.running -= 1;
    if (about !== null) this.busy.delete(about);
    for (;;) {
      const [next] = this.waiting.splice(this.nextInLine(), 1);
      if (next === undefined) return;
      this.take(next.about);
      next.begin();
    }
  }

  /** The first in line that may begin; beyond the end of the line when there is none. */
  private nextInLine(): number {
    const index = this.waiting.findIndex(({ about }) => this.mayBegin(about));
    return index === -1 ? this.waiting.length : index;
  }
}

/** Another instance, or this one once it is back, has time for them. */
function stopping(): AuthError {
  return new AuthError('overloaded', { detail: 'The server is stopping.', retryAfterSeconds: 2 });
}
