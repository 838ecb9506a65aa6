import { DataSource, type EntityManager } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { PacedConnection } from './connection.js';

/**
 * Runs work in one transaction on a connection of its own, whose statements may take as long as they take, and which may
 * wait in between: for work on very many rows, and for files that come in slowly. Nobody's request waits for it.
 */
export async function inUnhurriedTransaction<T>(dataSource: DataSource, work: (manager: EntityManager) => Promise<T>): Promise<T> {
  const options = dataSource.options as PostgresDataSourceOptions;
  const unhurried = new DataSource({ ...options, driver: undefined, poolSize: 1, extra: { Client: PacedConnection, keepAlive: true } });
  await unhurried.initialize();
  try {
    return await unhurried.transaction(async (manager) => {
      // Limits that a role or a database may have of its own.
      await manager.query('SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = 0');
      return work(manager);
    });
  } finally {
    await unhurried.destroy();
  }
}
