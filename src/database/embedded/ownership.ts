import { setTimeout as delay } from 'node:timers/promises';
import { Client, DatabaseError } from 'pg';
import { SUPERUSER } from './cluster.js';
import { systemErrorCode } from './embedded-postgres-error.js';
import { KEEPER_SETTING } from './server.js';

/**
 * Who owns the data directory is decided by a PostgreSQL session lock: the kernel closes a dead owner's
 * connection, and with it goes the lock. A number in a file would outlive its process.
 */
const LOCK = [0x47415445, 0x484f5553] as const;
/** Advisory locks belong to a database, so every contender must ask in the same one. */
const LOCK_DATABASE = 'postgres';
/** Who holds the lock says so, with the number of its process, in the name of its connection. */
const APPLICATION = { server: 'gatehouse keeper ', command: 'gatehouse command ' } as const;
const ANSWER_LIMIT = 5_000;
const STATEMENT_LIMIT = 60_000;

/** What a process is that has a PostgreSQL of its own: one that stays, or a command that is soon gone. */
export type OwnerKind = keyof typeof APPLICATION;

/** A process that has the lock. */
export interface Owner { kind: OwnerKind; pid: number }

export interface ServerAddress { host: string; port: number; password: string; as: OwnerKind }

export type Connection =
  | { state: 'open'; client: Client }
  /** nobody listens there */
  | { state: 'refused' }
  /** somebody listens, but is starting, stopping, full or slow */
  | { state: 'not yet' }
  /** somebody listens, and it is not this cluster's server, or the password is not its own */
  | { state: 'denied' };

/** Connects a contender for the lock. */
export async function connect({ as, ...address }: ServerAddress): Promise<Connection> {
  const client = new Client({
    ...address, user: SUPERUSER, database: LOCK_DATABASE, application_name: `${APPLICATION[as]}${process.pid}`, ssl: false,
    connectionTimeoutMillis: ANSWER_LIMIT, query_timeout: STATEMENT_LIMIT, keepAlive: true,
  });
  // Without a listener a cut connection would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return { state: 'open', client };
  } catch (error) {
    disconnect(client);
    const code = error instanceof DatabaseError ? error.code : systemErrorCode(error);
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return { state: 'refused' };
    return { state: code?.startsWith('28') || code === '3D000' ? 'denied' : 'not yet' };
  }
}

/** Lets a connection go, without waiting: it may be dead. */
export function disconnect(client: Client): void {
  void client.end().catch(() => undefined);
}

/** Tries for the lock until `patience` is over: the connection of an owner that just died may take a moment to be noticed. */
export async function takeLock(client: Client, patience: number, signal: AbortSignal): Promise<boolean> {
  const until = Date.now() + patience;
  for (;;) {
    const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS mine', [...LOCK]);
    if (rows[0]?.mine === true) return true;
    if (Date.now() > until) return false;
    await delay(25, undefined, { signal });
  }
}

export interface ServerFacts {
  /** the process that started the server; null if it was not a Gatehouse */
  keeper: number | null;
  /** seconds since it was started */
  age: number;
  /** whether somebody has the lock, and which process that is */
  locked: boolean;
  owner: Owner | null;
}

/** What a server says of itself to one that finds it running. */
export async function askServer(client: Client): Promise<ServerFacts> {
  const { rows } = await client.query<{ keeper: string | null; age: number; owner: string | null }>(
    `SELECT current_setting($1, true) AS keeper,
            extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS age,
            (SELECT coalesce(application_name, '') FROM pg_locks JOIN pg_stat_activity USING (pid)
              WHERE locktype = 'advisory' AND classid = $2 AND objid = $3 AND granted LIMIT 1) AS owner`,
    [KEEPER_SETTING, ...LOCK]);
  const [row] = rows;
  const owner = row?.owner ?? null;
  return {
    keeper: Number(row?.keeper) || null,
    age: row?.age ?? 0,
    locked: owner !== null,
    owner: owner === null ? null : ownerNamed(owner),
  };
}

function ownerNamed(application: string): Owner | null {
  for (const kind of ['server', 'command'] as const) {
    if (application.startsWith(APPLICATION[kind])) return { kind, pid: Number(application.slice(APPLICATION[kind].length)) };
  }
  return null;
}

/** Creates the application's database unless it exists. For the holder of the lock. */
export async function ensureDatabase(client: Client, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)} TEMPLATE template0`);
}
