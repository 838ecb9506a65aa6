import type { DataSource } from 'typeorm';
import { LOCKS, withLock } from './locks.js';

/**
 * Brings the schema up to date. Instances that start together take turns; all but the first find nothing to do.
 * The lock lives in a transaction of its own connection, the migrations run in theirs.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  await withLock(dataSource, LOCKS.migrations, async () => {
    await dataSource.runMigrations({ transaction: 'each' });
  });
}
