import type { ThrottlerStorage } from '@nestjs/throttler';
import { remember } from '../principals/index.js';

type Counted = Awaited<ReturnType<ThrottlerStorage['increment']>>;

const SWEEP_EVERY_MS = 60_000;
/** Keys beyond this push the oldest out; one takes some 250 bytes. Whoever has so many addresses is held up by no limit on each. */
const MOST_KEYS = 100_000;

/** The attempts of one key in the last window, and until when it is refused. */
class Attempts {
  /** When each attempt stops to count, in order; those before `first` have stopped. */
  private times: number[] = [];
  private first = 0;
  blockedUntil = 0;

  /** How many count at a moment. */
  count(now: number): number {
    while ((this.times[this.first] ?? Infinity) <= now) this.first += 1;
    // What has stopped to count is dropped in one go, once it is the greater part.
    if (this.first > 64 && this.first * 2 > this.times.length) {
      this.times = this.times.slice(this.first);
      this.first = 0;
    }
    return this.times.length - this.first;
  }

  add(until: number): void {
    this.times.push(until);
  }

  clear(): void {
    this.times = [];
    this.first = 0;
  }
}

/**
 * Counts attempts in this process, in a window that slides with time. The library's own storage goes through all attempts
 * of the window at each one: a flood, which the limit is there for, costs it ever more.
 */
export class LocalRateLimit implements ThrottlerStorage {
  private readonly keys = new Map<string, Attempts>();

  constructor() {
    setInterval(() => { this.sweep(Date.now()); }, SWEEP_EVERY_MS).unref();
  }

  /** Counts one more attempt; beyond the limit the key is blocked, and nothing counts until the block has run out. */
  increment(key: string, ttl: number, limit: number, blockDuration: number): Promise<Counted> {
    const now = Date.now();
    let attempts = this.keys.get(key);
    if (attempts === undefined) remember(this.keys, key, (attempts = new Attempts()), MOST_KEYS);
    let totalHits = attempts.count(now);
    if (attempts.blockedUntil <= now) {
      if (attempts.blockedUntil > 0) {
        attempts.blockedUntil = totalHits = 0;
        attempts.clear();
      }
      attempts.add(now + ttl);
      totalHits += 1;
      if (totalHits > limit) attempts.blockedUntil = now + blockDuration;
    }
    const isBlocked = attempts.blockedUntil > now;
    const timeToBlockExpire = isBlocked ? Math.ceil((attempts.blockedUntil - now) / 1000) : 0;
    return Promise.resolve({ totalHits, timeToExpire: Math.ceil(ttl / 1000), isBlocked, timeToBlockExpire });
  }

  private sweep(now: number): void {
    for (const [key, attempts] of this.keys) if (attempts.blockedUntil <= now && attempts.count(now) === 0) this.keys.delete(key);
  }
}
