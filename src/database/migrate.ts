import type { DataSource } from 'typeorm';
import { LOCKS, withLockInTurn } from './locks.js';

/**
 * Brings the schema up to date. Instances that start together take turns; all but the first find nothing to do.
 * The lock lives in a transaction of its own connection, the migrations run in theirs. Whoever waits for the lock does
 * so between statements, never inside one: an index that is built CONCURRENTLY waits for every statement under way.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  await withLockInTurn(dataSource, LOCKS.migrations, async (manager) => {
    // The transaction with the lock has nothing to do for as long as a migration takes.
    await manager.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    await dataSource.runMigrations({ transaction: 'each' });
  });
}
