import { setTimeout as delay } from 'node:timers/promises';
import { readPassword, SUPERUSER } from './cluster.js';
import { DataDirInUseError, EmbeddedPostgresError, inWords } from './embedded-postgres-error.js';
import { findExistingHome, type Home } from './home.js';
import { askServer, connect, disconnect, type Owner } from './ownership.js';
import { type PostmasterPid, readPostmasterPid } from './postmaster-pid.js';
import { type ConnectionTarget, DATABASE, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './start.js';

/** How long a command waits for other commands, and for a server that is about to start or to stop. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** A database that a command uses beside a server, or in its absence. */
export interface BorrowedPostgres {
  readonly connection: ConnectionTarget;
  /** Whether a server has the database. If not, this process has it, and a server that starts meanwhile is refused. */
  readonly serverRuns: boolean;
  /** Gives the database back: stops it, if it was started for this. */
  stop(): Promise<void>;
}

export interface BorrowOptions extends Pick<EmbeddedPostgresOptions, 'dataDir' | 'systemDir' | 'log' | 'onLost'> {
  /** Makes the database where there is none; else that is an error, because a misspelt directory has none either. */
  mayCreate?: boolean;
}

/**
 * The database of a data directory, for a command: the one that a running server keeps, or else one that is started
 * for as long as the command takes. Commands without a server take turns.
 * @throws EmbeddedPostgresError, whose message is for a person
 */
export async function borrowEmbeddedPostgres({ mayCreate = false, ...options }: BorrowOptions): Promise<BorrowedPostgres> {
  const { dataDir } = options;
  try {
    for (const until = Date.now() + PATIENCE_MS; ;) {
      const home = await findExistingHome(dataDir);
      if (home === null && !mayCreate) throw new EmbeddedPostgresError(missing(dataDir));
      const running = home === null ? null : await findOwned(home);
      if (running?.owner?.kind === 'server') return { connection: running.connection, serverRuns: true, stop: () => Promise.resolve() };
      try {
        // Where nobody has the lock, this sorts out what is orphaned and what is just starting.
        if (running === null) return { ...await startEmbeddedPostgres({ ...options, as: 'command' }), serverRuns: false };
        if (Date.now() > until) throw new DataDirInUseError(dataDir, running.owner);
      } catch (error) {
        // Somebody was faster.
        if (!(error instanceof DataDirInUseError) || Date.now() > until) throw error;
      }
      await delay(LOOK_EVERY_MS);
    }
  } catch (error) {
    throw inWords(error, dataDir);
  }
}

/** The server that runs on a cluster and that somebody has the lock on; null if there is no such. */
async function findOwned(home: Home): Promise<{ connection: ConnectionTarget; owner: Owner | null } | null> {
  const file = await readPostmasterPid(home.clusterDir);
  const address = file === null ? null : addressIn(file);
  if (address === null) return null;
  const password = await readPassword(home);
  const found = await connect({ ...address, password, as: 'command' });
  if (found.state !== 'open') return null;
  try {
    const { locked, owner } = await askServer(found.client);
    return locked ? { connection: { ...address, password, user: SUPERUSER, database: DATABASE }, owner } : null;
  } catch {
    // It was shut down while answering.
    return null;
  } finally {
    disconnect(found.client);
  }
}

function addressIn({ socketDir, listenAddress, port }: PostmasterPid): { host: string; port: number } | null {
  const host = socketDir || listenAddress;
  return host === '' || port === 0 ? null : { host, port };
}

function missing(dataDir: string): string {
  return `there is no database in DATA_DIR ${dataDir} yet; start the server once, or name the right directory with DATA_DIR / --data-dir `
    + '(or DATABASE_URL, if that is where the data is)';
}
