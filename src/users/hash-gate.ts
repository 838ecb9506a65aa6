import { availableParallelism } from 'node:os';
import { AuthError } from '../errors/index.js';

/** libuv has four threads unless told otherwise; one must stay free for files and name look-ups. */
const MOST_AT_ONCE = 3;
/** Who would have to wait longer than this many others is sent away. */
const MOST_WAITING = 200;

interface Waiting {
  readonly about: string | null;
  readonly begin: () => void;
}

/**
 * Lets a few password hashes run at a time and the rest wait in line. Without it a login storm occupies every libuv
 * thread, and each file read and name look-up of the process waits behind hashes.
 */
export class HashGate {
  private free = Math.min(availableParallelism(), MOST_AT_ONCE);
  private readonly busy = new Set<string>();
  private readonly waiting: Waiting[] = [];

  /**
   * Runs work when its turn comes.
   * @param about what the work is about, if there must be no other work about it at the same time: whoever has it to
   *   wait for lets the others in the line go first
   * @throws AuthError `overloaded` at once when the line is full
   */
  async inTurn<T>(about: string | null, work: () => Promise<T>): Promise<T> {
    if (this.mayBegin(about)) {
      this.take(about);
    } else {
      if (this.waiting.length >= MOST_WAITING) throw new AuthError('overloaded', { retryAfterSeconds: 5 });
      // Whoever ends takes the turn for the next in line: nobody overtakes between the two.
      await new Promise<void>((begin) => this.waiting.push({ about, begin }));
    }
    try {
      return await work();
    } finally {
      this.release(about);
    }
  }

  private mayBegin(about: string | null): boolean {
    return this.free > 0 && (about === null || !this.busy.has(about));
  }

  private take(about: string | null): void {
    this.free -= 1;
    if (about !== null) this.busy.add(about);
  }

  private release(about: string | null): void {
    this.free += 1;
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
