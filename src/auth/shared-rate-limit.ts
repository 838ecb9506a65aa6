import type { ThrottlerStorage } from '@nestjs/throttler';
import { type RedisConnection, RedisScript } from '../redis/index.js';
import { LocalRateLimit } from './local-rate-limit.js';

type Attempts = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * Counts an attempt. A window begins with its first attempt; the one that is too many begins the time in which none is
 * allowed, and those that follow prolong nothing.
 */
const COUNT = new RedisScript(`
  local attempts = redis.call('INCR', KEYS[1])
  if attempts == tonumber(ARGV[2]) + 1 then
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
  elseif redis.call('PTTL', KEYS[1]) < 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
  end
  return {attempts, redis.call('PTTL', KEYS[1])}`);

/**
 * Counts attempts in Redis, for all instances together. While Redis is away each process counts for itself: the limit
 * is then that of one instance for each of them, which no lockout of an account depends on.
 *
 * An address is in Redis for as long as its window, and no longer.
 */
export class SharedRateLimit implements ThrottlerStorage {
  private readonly own = new LocalRateLimit();

  constructor(private readonly redis: RedisConnection) {}

  async increment(key: string, ttl: number, limit: number, blockDuration: number): Promise<Attempts> {
    const counted = await this.redis.run(COUNT, [this.redis.key(`attempts:${key}`)], [ttl, limit, blockDuration]);
    const [totalHits, left] = (Array.isArray(counted) ? counted : []) as unknown[];
    if (typeof totalHits !== 'number' || typeof left !== 'number') return this.own.increment(key, ttl, limit, blockDuration);
    const seconds = Math.max(0, Math.ceil(left / 1000));
    const isBlocked = totalHits > limit;
    return { totalHits, timeToExpire: seconds, isBlocked, timeToBlockExpire: isBlocked ? seconds : 0 };
  }
}
