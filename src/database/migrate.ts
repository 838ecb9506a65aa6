import type { DataSource } from 'typeorm';
import { LOCKS, withLockInTurn } from './locks.js';

/**
 * Brings the schema up to date. Instances that start together take turns; all but the first find nothing to do.
 * The lock lives in a transaction of its own connection, the migrations run in theirs. Whoever waits for the lock does
 * so between statements, never inside one: an index that is built CONCURRENTLY waits for every statement under way.
 * @returns the names of those that ran
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  const run = await withLockInTurn(dataSource, LOCKS.migrations, async (manager) => {
    // The transaction with the lock has nothing to do for as long as a migration takes.
    await manager.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    return dataSource.runMigrations({ transaction: 'each' });
  });
  return run.map(({ name }) => name);
}

/** The migrations that have not run yet, in their order. Changes nothing. */
export async function findPendingMigrations(dataSource: DataSource): Promise<string[]> {
  const [found] = await dataSource.query<{ table: string | null }[]>("SELECT to_regclass('migrations') AS table");
  const applied = found?.table == null ? [] : await dataSource.query<{ name: string }[]>('SELECT name FROM migrations');
  const names = new Set(applied.map(({ name }) => name));
  return dataSource.migrations.map(({ name = '' }) => name).filter((name) => !names.has(name));
}
