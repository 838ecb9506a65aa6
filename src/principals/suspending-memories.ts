import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { connectAlone, LOCKS } from '../database/index.js';
import { SUSPEND_CHANNEL } from './memory-lease.js';

/** A server that was cut off keeps the lock until PostgreSQL notices, some 14 s later. */
const PATIENCE_SECONDS = 25;
const ASK_EVERY_MS = 50;
/** SQLSTATE lock_not_available: the time ran out. */
const LOCK_NOT_AVAILABLE = '55P03';

/** A server does not let go of what it remembers. */
class MemoryHeldError extends Error {
  override readonly name = 'MemoryHeldError';

  constructor(changed: boolean) {
    super(
      'A running server (PRINCIPAL_CACHE=memory) does not let go of what it remembers of sessions and keys. '
        + (changed ? 'The change was made, and that server may not know of it: stop that server.' : 'Nothing was changed: try again, or stop that server.'),
    );
  }
}

/**
 * Makes a change from a process that is not the server. A server that remembers what it checked
 * (`PRINCIPAL_CACHE=memory`) remembers nothing while the change is made, so that it counts there too when this returns
 * (`MemoryLease` says why). Not to be nested.
 * @throws MemoryHeldError, and whatever the change throws
 */
export async function suspendingMemories<T>(dataSource: DataSource, change: () => Promise<T>): Promise<T> {
  let lock = await takeLock(dataSource, false);
  try {
    return await change();
  } finally {
    // Had the lock been lost on the way, a server could remember what it read just before the commit.
    if (!(await isHeld(lock))) lock = await takeLock(dataSource, true);
    await lock.end().catch(() => undefined);
  }
}

/** In a transaction, not a session: so it is right behind a pooler that hands out connections a transaction at a time. */
async function takeLock(dataSource: DataSource, changed: boolean): Promise<Client> {
  const client = await connectAlone(dataSource, 'command');
  try {
    await client.query(
      `BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '${String(PATIENCE_SECONDS)}s'`,
    );
    const taken = client.query('SELECT pg_advisory_xact_lock($1)', [LOCKS.memory]);
    // Once is not enough: a server that hears of it before we stand in line has the lock again before us.
    const ask = (): void => { dataSource.query('SELECT pg_notify($1, $2)', [SUSPEND_CHANNEL, '']).catch(() => undefined); };
    const asking = setInterval(ask, ASK_EVERY_MS);
    ask();
    await taken.finally(() => { clearInterval(asking); });
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw (error as { code?: string }).code === LOCK_NOT_AVAILABLE ? new MemoryHeldError(changed) : error;
  }
}

function isHeld(lock: Client): Promise<boolean> {
  return lock.query('SELECT').then(() => true, () => false);
}
