import { join } from 'node:path';
import { Pool } from 'pg';
import { startEmbeddedPostgres } from '../../../src/database/embedded/index.js';
import { makeDirectory } from '../directory.js';

/** A database, as its owner sees it. */
export interface ScaleDatabase {
  readonly name: string;
  readonly url: string;
  readonly pool: Pool;
}

/** A PostgreSQL server of a suite's own, whose work can be told from that of other suites. */
export interface ScalePostgres {
  /** The file that it writes its log to. */
  readonly log: string;
  /** Makes an empty database, or a copy of one that nobody is connected to. */
  create(name: string, template?: string): Promise<ScaleDatabase>;
  stop(): Promise<void>;
}

/** Starts a throw-away server. What it does of itself would count for one database or the other at random: it does nothing. */
export async function startPostgres(): Promise<ScalePostgres> {
  const directory = makeDirectory();
  const dataDir = join(directory.path, 'data');
  const server = await startEmbeddedPostgres({ dataDir, throwAway: true, reach: 'loopback', log: () => undefined });
  const { host, port, user, password } = server.connection;
  const urlOf = (name: string): string => `postgres://${user}:${encodeURIComponent(password)}@${host}:${String(port)}/${name}`;
  const admin = new Pool({ connectionString: urlOf('gatehouse'), max: 1 });
  await admin.query('ALTER SYSTEM SET autovacuum = off');
  await admin.query('SELECT pg_reload_conf()');
  const pools = [admin];
  return {
    log: join(dataDir, 'postgres.log'),
    create: async (name, template = 'template1') => {
      await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
      const pool = new Pool({ connectionString: urlOf(name), max: 2 });
      pools.push(pool);
      return { name, url: urlOf(name), pool };
    },
    stop: async () => {
      await Promise.all(pools.map((pool) => pool.end()));
      await server.stop();
      directory.remove();
    },
  };
}
