import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { CircuitBreaker } from './circuit-breaker.js';
import { redisOptions } from './redis-options.js';
import { RedisScript } from './redis-script.js';

/** A request waits no longer for an answer. */
const COMMAND_TIMEOUT_MS = 100;
const PROBE_TIMEOUT_MS = 1_000;
const LATE = 'no answer in time';

/** Finds out whether this server may be written to; a replica, a full one and one that allows no scripts may not. */
const PROBE = new RedisScript("return redis.call('SET', KEYS[1], '1', 'PX', 1000)");

/**
 * The one connection of this process to Redis, behind a circuit breaker: Redis that is away or slow costs the first few
 * requests a tenth of a second each, and after that nothing. The start does not wait for it.
 *
 * Every key begins with `gatehouse:` and the identity of the server process (`run_id`): what a server has read from its
 * disk, or as a replica from another one, was written under another name and is not seen.
 */
export class RedisConnection implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly breaker = new CircuitBreaker();
  private readonly redis: Redis;
  private runId = '';
  /** Why the connection was lost, as far as that is known before it is closed. */
  private reason: string | null = null;
  private told: 'up' | 'away' | null = null;
  private readonly refusals = new Set<string>();
  private closing = false;

  private constructor(connect: (pause: () => number) => Redis) {
    this.redis = connect(() => this.breaker.nextPause());
    this.redis.on('connect', () => { this.reason = null; });
    this.redis.on('error', (error) => { this.reason = reasonOf(error); });
    this.redis.on('ready', () => void this.probe());
    this.redis.on('close', () => { this.lose(this.reason ?? 'the connection was closed'); });
  }

  /** @param url as `REDIS_URL` says it */
  static async open(url: string): Promise<RedisConnection> {
    // Loaded here: whoever has no Redis is spared the driver.
    const { Redis } = await import('ioredis');
    return new RedisConnection((pause) => new Redis(redisOptions(url, pause)));
  }

  onModuleInit(): void {
    // It goes on trying by itself, and tells of it in its events.
    this.redis.connect().catch(() => undefined);
  }

  onApplicationShutdown(): void {
    this.closing = true;
    this.breaker.open();
    this.redis.disconnect();
  }

  /** Whether commands are sent at this moment. */
  get isUp(): boolean {
    return this.breaker.isClosed;
  }

  /** The full name of a key. All keys of one server have one hash tag, and so one slot where there are slots. */
  key(name: string): string {
    return `gatehouse:{${this.runId}}:${name}`;
  }

  /**
   * Sends a command, at once or not at all.
   * @returns `undefined` when Redis is away, does not answer within a tenth of a second, or refuses the command; it may
   *   have carried it out all the same, or do so yet
   */
  async send<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (!this.breaker.isClosed) return undefined;
    try {
      const reply = await within(COMMAND_TIMEOUT_MS, command(this.redis));
      this.breaker.succeeded();
      return reply;
    } catch (error) {
      this.commandFailed(error);
      return undefined;
    }
  }

  /** Runs a script; otherwise as `send`. */
  run(script: RedisScript, keys: string[], values: (string | number)[]): Promise<unknown> {
    return this.send((redis) => evaluate(redis, script, keys, values));
  }

  private commandFailed(error: unknown): void {
    if (isRefusal(error)) {
      const refusal = reasonOf(error);
      // An answer, if not the one that was hoped for; but a primary that has become a replica has a successor.
      if (refusal === 'READONLY') this.drop(refusal);
      else this.tellRefusal(refusal);
    } else if (this.breaker.isClosed && this.breaker.failed()) {
      this.drop(reasonOf(error));
    }
  }

  /** The half-open state: one connection that is asked who it is, and whether it takes what will be sent. */
  private async probe(): Promise<void> {
    try {
      this.runId = await within(PROBE_TIMEOUT_MS, identify(this.redis));
      await within(PROBE_TIMEOUT_MS, evaluate(this.redis, PROBE, [this.key('probe')], []));
      if (this.closing || this.redis.status !== 'ready') return;
      this.refusals.clear();
      this.breaker.close();
      if (this.told !== 'up') this.logger.log('Redis is in use');
      this.told = 'up';
    } catch (error) {
      this.drop(reasonOf(error));
    }
  }

  /** Gives the connection up; the next one is the probe. */
  private drop(reason: string): void {
    this.reason ??= reason;
    this.lose(this.reason);
    if (this.redis.status === 'ready') this.redis.disconnect(true);
  }

  private lose(reason: string): void {
    this.breaker.open();
    if (this.told === 'away' || this.closing) return;
    this.told = 'away';
    this.logger.warn(
      `Redis is away (${reason}): PostgreSQL is asked instead, each process counts attempts for itself, and ending a credential takes some seconds`,
    );
  }

  private tellRefusal(refusal: string): void {
    if (this.refusals.has(refusal)) return;
    this.refusals.add(refusal);
    this.logger.warn(`Redis refuses a command (${refusal})`);
  }
}

/** The name of the server process; none where the account or a proxy keeps it secret. */
async function identify(redis: Redis): Promise<string> {
  try {
    return /^run_id:(\w+)/m.exec(await redis.info())?.[1] ?? '';
  } catch (error) {
    if (isRefusal(error) && ['NOPERM', 'ERR'].includes(reasonOf(error))) return '';
    throw error;
  }
}

async function evaluate(redis: Redis, script: RedisScript, keys: string[], values: (string | number)[]): Promise<unknown> {
  try {
    return await redis.evalsha(script.sha1, keys.length, ...keys, ...values);
  } catch (error) {
    if (!isRefusal(error) || reasonOf(error) !== 'NOSCRIPT') throw error;
    return redis.eval(script.lua, keys.length, ...keys, ...values);
  }
}

function within<T>(milliseconds: number, reply: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // This process may be the one that was slow: an answer that has arrived is read before an immediate runs.
      setImmediate(() => { reject(new Error(LATE)); });
    }, milliseconds);
    reply.then(resolve, reject).finally(() => { clearTimeout(timer); });
  });
}

/** Whether Redis has answered, with an error. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/**
 * What went wrong, in a word: never the message of a server, which may repeat what it was sent (a password), nor the
 * other properties of the error, among which ioredis keeps the command.
 */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (isRefusal(error)) return /^[A-Z]+/.exec(error.message)?.[0] ?? 'ERR';
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  return error.message === LATE ? LATE : 'the connection was closed';
}
