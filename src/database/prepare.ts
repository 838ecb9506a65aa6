import type { Client } from 'pg';
import { DataSource } from 'typeorm';
import type { Settings } from '../config/index.js';
import { isAway } from '../errors/index.js';
import { type Pace, PacedConnection, sessionLimits } from './connection.js';
import { connectionOptions, type DatabaseTarget, dataSourceOptions, type RequestLimits } from './data-source-options.js';
import { migrate } from './migrate.js';

/** PostgreSQL was reached and will not have us, which no waiting changes. The message is for the operator. */
export class DatabaseRefusedError extends Error {
  override readonly name = 'DatabaseRefusedError';
}

/** One connection holds the lock while another migrates. */
const MIGRATION_CONNECTIONS = 2;
/** Limits that a role or a database may have of its own are meant for requests. As text: the driver leaves a number 0 out. */
const UNLIMITED = { statement_timeout: '0', lock_timeout: '0' };
/** What Node's TLS says of a certificate (X.509 verification, RFC 5280, and the name in it, RFC 9525). */
const NOT_TRUSTED = /CERT|ISSUER|SIGNED|VERIFY|CA_/;
/** PgBouncer, of what it cannot keep for one of its clients. */
const POOLER_WORDS = 'unsupported startup parameter';

/** How the database is to be used, as the settings say it. */
export type DatabaseSettings = Pick<Settings, 'databaseConnectTimeoutMs' | 'databaseQueryTimeoutMs' | 'databasePooler'>;

/**
 * Gets the database ready to be used: reaches it, finds out whether a pooler is in between, and brings its schema up to date.
 * @param prepareSchema does something else about the schema, or throws
 * @returns what requests are to keep to
 * @throws DatabaseRefusedError when it cannot be used, and what `isAway` knows when it is away
 */
export async function prepareDatabase(
  target: DatabaseTarget,
  { databaseConnectTimeoutMs: connectTimeoutMs, databaseQueryTimeoutMs: queryTimeoutMs, databasePooler }: DatabaseSettings,
  prepareSchema: (dataSource: DataSource) => Promise<unknown> = migrate,
): Promise<RequestLimits> {
  const wanted = databasePooler === 'auto' ? databasePooler : databasePooler === 'true';
  const pooled = await reach({ target, connectTimeoutMs, queryTimeoutMs, pooler: wanted });
  const pooler = wanted === 'auto' ? pooled : wanted;
  const options = dataSourceOptions(target, MIGRATION_CONNECTIONS);
  const extra = { ...(options.extra as object), ...(pooler ? {} : UNLIMITED) };
  const dataSource = await new DataSource({ ...options, extra }).initialize();
  try {
    await prepareSchema(dataSource);
  } finally {
    await dataSource.destroy();
  }
  return { connectTimeoutMs, queryTimeoutMs, pooler };
}

/** Who is asked, and how long for. */
interface DatabaseAccess extends Omit<RequestLimits, 'pooler'> {
  target: DatabaseTarget;
  /** Whether a pooler is in between; `auto` finds out. */
  pooler: boolean | 'auto';
}

/**
 * Connects once. A pooler gives itself away by the number of the server's process, which it makes up for each of its
 * clients.
 */
async function reach(access: DatabaseAccess): Promise<boolean> {
  const client = connection(access);
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await client.end();
    return rows[0]?.pid !== (client as unknown as { processID: number }).processID;
  } catch (error) {
    client.connection.stream.destroy();
    throw isAway(error) && !(error as Error).message.startsWith(POOLER_WORDS) ? error : refusal(error);
  }
}

function connection({ target, connectTimeoutMs, queryTimeoutMs, pooler }: DatabaseAccess): Client {
  // As long as nobody has said that there is no pooler, nothing is set that one might refuse.
  const pace: Pace = { statementMs: queryTimeoutMs, pooler: pooler !== false, answers: 0 };
  try {
    return new PacedConnection({ ...connectionOptions(target), ...sessionLimits(pace), connectionTimeoutMillis: connectTimeoutMs, pace });
  } catch (error) {
    // The file that sslrootcert names is read here.
    throw refusal(error);
  }
}

function refusal(error: unknown): DatabaseRefusedError {
  const { message, code } = error as { message: string; code?: unknown };
  return new DatabaseRefusedError(`${hintFor(message, code)}${message}`, { cause: error });
}

function hintFor(message: string, code: unknown): string {
  if (message.startsWith(POOLER_WORDS)) return 'there is a pooler in between, so DATABASE_POOLER must not be false: ';
  if (typeof code !== 'string' || !NOT_TRUSTED.test(code)) return '';
  return 'its certificate is not trusted; sslrootcert=<file> in the URL names the authority that signed it: ';
}
