import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Client, Notification } from 'pg';
import { DataSource } from 'typeorm';
import { connectAlone, LOCKS } from '../database/index.js';
import { MemoryCache } from './memory-cache.js';
import { PrincipalCache } from './principal-cache.js';

/** Whoever wants all memories suspended says so here, again and again until it has the lock. */
export const SUSPEND_CHANNEL = 'gatehouse_suspend_memory';

/** How long a notification may take to come back; behind a pooler of transactions it never does. */
const ECHO_LIMIT_MS = 2_000;
const HEARTBEAT_MS = 2_000;
/** PostgreSQL gives up a connection that is silently gone after this, which is well beyond two heartbeats. */
const FAREWELL = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '14s'";
/** What a role or a database may have set is meant for statements, not for waiting. */
const NO_LIMITS = 'SET statement_timeout = 0; SET lock_timeout = 0';
const SOONEST_RETRY_MS = 100;
const LATEST_RETRY_MS = 30_000;

/**
 * Lets `MemoryCache` remember only while no other process changes what it remembers.
 *
 * It is a lock of readers and writers in PostgreSQL. This process holds it *shared* for as long as its memory is in use; a
 * command that changes accounts from outside holds it *exclusively* around its change (`suspendingMemories`). So no memory
 * is in use while the change is made, and each begins anew, empty, once the command has let go or has died: PostgreSQL
 * ends the lock with the connection. The lease ends with its own connection too, as soon as the kernel or two unanswered
 * heartbeats say so. A database that fails over loses its locks: then, and only then, may a memory outlive a change, by
 * those two heartbeats.
 */
@Injectable()
export class MemoryLease implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('PrincipalCache');
  private readonly stopped = new AbortController();
  private kept: Promise<void> = Promise.resolve();

  constructor(
    private readonly cache: PrincipalCache,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  /** Nobody waits for the lease: without it every request asks PostgreSQL, which is slower and as right. */
  onModuleInit(): void {
    if (this.cache instanceof MemoryCache) this.kept = this.keep(this.cache);
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    await this.kept;
  }

  private async keep(memory: MemoryCache): Promise<void> {
    const { signal } = this.stopped;
    let told = '';
    for (let retry = SOONEST_RETRY_MS; ; retry = Math.min(2 * retry, LATEST_RETRY_MS)) {
      const since = Date.now();
      const reason = await this.hold(memory).then(() => 'the connection ended', (error: unknown) => String(error));
      if (signal.aborted) return;
      if (Date.now() - since > LATEST_RETRY_MS) retry = SOONEST_RETRY_MS;
      if (reason !== told) this.logger.warn(`Every request asks PostgreSQL for now (PRINCIPAL_CACHE=memory): ${reason}`);
      told = reason;
      if (!(await delay(retry, true, { signal }).catch(() => false))) return;
    }
  }

  /** Holds the lease with one connection, for as long as that lasts. */
  private async hold(memory: MemoryCache): Promise<void> {
    const client = await connectAlone(this.dataSource, 'memory');
    const gone = new AbortController();
    const leave = (): void => {
      // First of all: from here on somebody else may have the lock.
      memory.suspend();
      gone.abort();
      void client.end().catch(() => undefined);
    };
    client.once('error', leave).once('end', leave);
    this.stopped.signal.addEventListener('abort', leave);
    if (this.stopped.signal.aborted) leave();
    try {
      await this.proveNotifications(client, gone.signal);
      await client.query(`${FAREWELL}; ${NO_LIMITS}`);
      while (!gone.signal.aborted) await holdOnce(client, memory, gone.signal, leave);
    } finally {
      this.stopped.signal.removeEventListener('abort', leave);
      leave();
    }
  }

  /**
   * Makes sure that notifications arrive before anything is locked: a pooler that hands out connections a transaction at
   * a time (PgBouncer) takes a LISTEN and a lock, and leaves both with somebody else.
   */
  private async proveNotifications(client: Client, gone: AbortSignal): Promise<void> {
    const token = randomUUID();
    const limit = AbortSignal.timeout(ECHO_LIMIT_MS);
    const echo = notified(client, AbortSignal.any([gone, limit]), ({ payload }) => payload === token);
    await client.query(`LISTEN ${SUSPEND_CHANNEL}`);
    await this.dataSource.query('SELECT pg_notify($1, $2)', [SUSPEND_CHANNEL, token]);
    if (await echo) return;
    throw new Error('the database passes no notifications on to this connection (name PostgreSQL itself in DATABASE_URL, not a pooler of transactions)');
  }
}

/** Holds the lock until somebody else wants it, then waits behind that one for the next time. */
async function holdOnce(client: Client, memory: MemoryCache, gone: AbortSignal, leave: () => void): Promise<void> {
  await client.query('SELECT pg_advisory_lock_shared($1)', [LOCKS.memory]);
  const heartbeat = startHeartbeat(client, leave);
  try {
    // What was notified before is either served by now, or will be notified again.
    const asked = notified(client, gone, () => true);
    if (!gone.aborted) memory.resume();
    await asked;
  } finally {
    clearInterval(heartbeat);
    memory.suspend();
  }
  await client.query('SELECT pg_advisory_unlock_shared($1)', [LOCKS.memory]);
}

/** Waits for a notification; `false` when the signal came first. */
function notified(client: Client, signal: AbortSignal, isMeant: (message: Notification) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (came: boolean): void => {
      client.off('notification', listen);
      signal.removeEventListener('abort', abort);
      resolve(came);
    };
    const listen = (message: Notification): void => { if (isMeant(message)) settle(true); };
    const abort = (): void => { settle(false); };
    client.on('notification', listen);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  });
}

/** Asks the database again and again whether it is still there: one that was cut off does not say goodbye. */
function startHeartbeat(client: Client, lost: () => void): NodeJS.Timeout {
  let answered = true;
  return setInterval(() => {
    // The answer may be here already, behind this timer, when the process was held up.
    if (!answered) { setImmediate(() => { if (!answered) lost(); }); return; }
    answered = false;
    client.query('SELECT').then(() => { answered = true; }, () => undefined);
  }, HEARTBEAT_MS).unref();
}
