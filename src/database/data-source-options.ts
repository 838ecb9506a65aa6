import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { MIGRATIONS } from './migrations/index.js';

/** Where the database is: a URL, or the embedded server's socket. */
export type DatabaseTarget =
  | { url: string }
  | { host: string; port: number; user: string; password: string; database: string };

/**
 * What TypeORM needs to reach the database. `synchronize` is never on: the schema is what the migrations say.
 */
export function dataSourceOptions(target: DatabaseTarget, poolSize: number): PostgresDataSourceOptions {
  const where =
    'url' in target
      ? { url: target.url }
      : { host: target.host, port: target.port, username: target.user, password: target.password, database: target.database };
  return {
    type: 'postgres',
    ...where,
    applicationName: 'gatehouse',
    poolSize,
    connectTimeoutMS: 5_000,
    synchronize: false,
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    logging: false,
  };
}
