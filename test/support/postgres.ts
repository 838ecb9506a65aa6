import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'pg';
import { startEmbeddedPostgres } from '../../src/database/embedded/index.js';
import { makeDirectory } from './directory.js';

/** A PostgreSQL of a suite's own, for what would disturb the others. */
export interface OwnPostgres {
  readonly clusterDir: string;
  /** The account that it runs as, if that is not this one. */
  readonly uid: number | undefined;
  /** For looking and for changing what an operator may change; its connections come and go. */
  readonly pool: Pool;
  /** The address of a database there. */
  url(database?: string): string;
  /** Makes an empty database and returns its address. */
  createDatabase(name: string, options?: string): Promise<string>;
  /** Sets something for the whole server, as in postgresql.conf; `null` takes it back. */
  set(name: string, value: string | null): Promise<void>;
  /** Stops all its processes where they are (SIGSTOP): whatever it is asked, it neither answers nor refuses. */
  freeze(): void;
  /** Lets them go on, as if nothing had been. */
  thaw(): void;
  /** Ends the server with a signal; whoever keeps it starts it again on the same port. */
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/**
 * Starts one; its data is thrown away with it.
 * @param durable whether it would outlive a crash of the machine, which takes longer
 */
export async function startPostgres({ durable = false } = {}): Promise<OwnPostgres> {
  const directory = makeDirectory(0o755);
  const server = await startEmbeddedPostgres({ dataDir: join(directory.path, 'data'), throwAway: !durable, reach: 'loopback', log: () => undefined });
  const { host, port, user, password } = server.connection;
  const url = (database = 'gatehouse'): string => `postgres://${user}:${encodeURIComponent(password)}@${host}:${String(port)}/${database}`;
  const pool = new Pool({ connectionString: url(), max: 4 });
  // Connections that are cut here are what the suites are about.
  pool.on('error', () => undefined);
  const postmaster = (): number => Number(readFileSync(join(server.clusterDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  let stopped: number[] = [];
  const thaw = (): void => {
    for (const pid of stopped.splice(0)) signal(pid, 'SIGCONT');
  };
  return {
    clusterDir: server.clusterDir,
    uid: process.getuid?.() === 0 ? Number(execFileSync('stat', ['-c', '%u', server.clusterDir])) : undefined,
    pool,
    url,
    createDatabase: async (name, options = '') => {
      await pool.query(`CREATE DATABASE ${name} ${options}`);
      return url(name);
    },
    set: async (name, value) => {
      await pool.query(value === null ? `ALTER SYSTEM RESET ${name}` : `ALTER SYSTEM SET ${name} = '${value}'`);
      await pool.query('SELECT pg_reload_conf()');
    },
    freeze: () => {
      // The one that makes the others first, so that none is missed.
      const parent = postmaster();
      signal(parent, 'SIGSTOP');
      stopped = [...childrenOf(parent), parent];
      for (const pid of stopped) signal(pid, 'SIGSTOP');
    },
    thaw,
    kill: (name) => { signal(postmaster(), name); },
    stop: async () => {
      thaw();
      await pool.end();
      await server.stop();
      directory.remove();
    },
  };
}

function childrenOf(parent: number): number[] {
  return execFileSync('ps', ['-o', 'pid=', '--ppid', String(parent)], { encoding: 'utf8' }).split('\n').map(Number).filter((pid) => pid > 0);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself just now.
  }
}
