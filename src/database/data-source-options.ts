import pg, { type ClientConfig } from 'pg';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { TransactionEnds } from './after-commit.js';
import { type Pace, PacedConnection, sessionLimits } from './connection.js';
import { MIGRATIONS } from './migrations/index.js';
import { PacedPool } from './pool.js';
import { strictTls } from './tls.js';

/** Where the database is: a URL, or the embedded server's socket. */
export type DatabaseTarget =
  | { url: string }
  | { host: string; port: number; user: string; password: string; database: string };

/** How long a request waits for the database, and what is between the two. */
export interface RequestLimits {
  /** Milliseconds until there is a connection, new or from the pool. */
  connectTimeoutMs: number;
  /** Milliseconds until a statement is answered. */
  queryTimeoutMs: number;
  /** Whether a pooler such as PgBouncer hands out connections a transaction at a time. */
  pooler: boolean;
}

/**
 * What TypeORM needs to reach the database, without a limit on what a statement may take: for migrations and tools.
 * `synchronize` is never on: the schema is what the migrations say.
 */
export function dataSourceOptions(target: DatabaseTarget, poolSize: number): PostgresDataSourceOptions {
  const where =
    'url' in target
      ? { url: strictTls(target.url) }
      : { host: target.host, port: target.port, username: target.user, password: target.password, database: target.database };
  return {
    type: 'postgres',
    // TypeORM would look for it by itself, which finds a second copy where the program is one file.
    driver: pg,
    ...where,
    applicationName: 'gatehouse',
    poolSize,
    connectTimeoutMS: 5_000,
    synchronize: false,
    subscribers: [TransactionEnds],
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    // Those that say so themselves run in none.
    migrationsTransactionMode: 'each',
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    logging: false,
    extra: { Client: PacedConnection, keepAlive: true },
  };
}

/** The same for requests, none of which waits for long. */
export function requestOptions(target: DatabaseTarget, poolSize: number, limits: RequestLimits): PostgresDataSourceOptions {
  const pace: Pace = { statementMs: limits.queryTimeoutMs, pooler: limits.pooler, answers: 0 };
  return {
    ...dataSourceOptions(target, poolSize),
    connectTimeoutMS: limits.connectTimeoutMs,
    driver: { Pool: PacedPool },
    extra: { Client: PacedConnection, keepAlive: true, ...sessionLimits(pace), pace },
  };
}

/** The same for one connection of the driver's own. */
export function connectionOptions(target: DatabaseTarget): ClientConfig {
  const where = 'url' in target ? { connectionString: strictTls(target.url) } : target;
  return { ...where, application_name: 'gatehouse', keepAlive: true };
}
