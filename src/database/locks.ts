import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';

/** The advisory locks of Gatehouse, all in one place so that no two share a number. */
export const LOCKS = {
  migrations: 0x6748_0001,
  bootstrap: 0x6748_0002,
  owners: 0x6748_0003,
  housekeeping: 0x6748_0004,
  memory: 0x6748_0005,
  transfer: 0x6748_0006,
} as const;

const ASK_AGAIN_AFTER_MS = 50;

/**
 * Runs work in one transaction while holding an advisory lock, which ends with the transaction: a crashed instance
 * leaves nothing locked, and it works behind a pooler that hands out connections a transaction at a time.
 */
export async function withLock<T>(
  dataSource: DataSource,
  lock: (typeof LOCKS)[keyof typeof LOCKS],
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  return dataSource.transaction(async (manager) => {
    await takeLock(manager, lock);
    return work(manager);
  });
}

/**
 * The same, for a start, which may have to wait behind other instances for longer than a statement may take: it asks
 * again and again, each time in a transaction of its own.
 */
export async function withLockInTurn<T>(
  dataSource: DataSource,
  lock: (typeof LOCKS)[keyof typeof LOCKS],
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  for (;;) {
    const done = await dataSource.transaction(async (manager) =>
      (await tryLock(manager, lock)) ? { value: await work(manager) } : null,
    );
    if (done !== null) return done.value;
    await delay(ASK_AGAIN_AFTER_MS);
  }
}

/** Takes an advisory lock inside a transaction that is already open, if nobody has it. */
export async function tryLock(manager: EntityManager, lock: (typeof LOCKS)[keyof typeof LOCKS]): Promise<boolean> {
  const [row] = await manager.query<{ taken: boolean }[]>('SELECT pg_try_advisory_xact_lock($1) AS taken', [lock]);
  return row?.taken ?? false;
}

/** The same for one thing among many, such as one table: each has a lock of its own. */
export async function tryLockOf(manager: EntityManager, lock: (typeof LOCKS)[keyof typeof LOCKS], of: string): Promise<boolean> {
  const [row] = await manager.query<{ taken: boolean }[]>('SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS taken', [lock, of]);
  return row?.taken ?? false;
}

/** Takes an advisory lock inside a transaction that is already open. */
export async function takeLock(manager: EntityManager, lock: (typeof LOCKS)[keyof typeof LOCKS]): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock($1)', [lock]);
}
