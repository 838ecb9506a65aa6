import { findBinaries, usableBinaries } from './binaries.js';
import { SUPERUSER, openCluster, removeDeadAttempts } from './cluster.js';
import { inWords } from './embedded-postgres-error.js';
import { findHome, leaveNote } from './home.js';
import { Keeper } from './keeper.js';
import { ensureDatabase, type OwnerKind } from './ownership.js';
import { chooseReach, releaseReach } from './reach.js';
import { ServerLog } from './server-log.js';
import type { ServerPlan } from './server.js';
import { type Log, type OwnedServer, takeServer } from './take-server.js';

export interface EmbeddedPostgresOptions {
  /** Where Gatehouse keeps its data (may not exist yet). */
  dataDir: string;
  /** true only for throw-away servers of tests: no fsync, initdb without sync */
  throwAway?: boolean;
  /** 'socket' (default where the platform has them) or 'loopback' (a free 127.0.0.1 port; Windows, and tests) */
  reach?: 'socket' | 'loopback';
  /** how many connections its users may open; there are always some for people beside them */
  connections?: number;
  /** where root keeps what an unprivileged account could not reach in dataDir or node_modules */
  systemDir?: string;
  /** what this process is, for others that want the database: 'server' (default), or a 'command' that is soon gone */
  as?: OwnerKind;
  log: Log;
  /** called when the server is lost for good (could not be restarted, or another Gatehouse has it) */
  onLost?: (error: Error) => void;
}

export interface ConnectionTarget { host: string; port: number; user: string; password: string; database: string }

export interface EmbeddedPostgres {
  readonly connection: ConnectionTarget;
  readonly clusterDir: string;
  /** Stops the server; to be called when nothing uses the database any more. */
  stop(): Promise<void>;
}

/** The application's database in the cluster. */
export const DATABASE = 'gatehouse';

/**
 * Starts the PostgreSQL that belongs to a data directory and keeps it running, as its only owner. The first
 * start creates it. Fails with an EmbeddedPostgresError, whose message is for a person.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await start(options);
  } catch (error) {
    throw inWords(error, options.dataDir);
  }
}

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, throwAway = false, connections = 0, systemDir = '/var/lib/gatehouse', as = 'server', log } = options;
  const found = await findBinaries();
  const home = await findHome(dataDir, systemDir);
  const binaries = await usableBinaries(found, home.account, home.account === null ? home.dataDir : systemDir);
  const password = await openCluster(home, binaries, throwAway, (message) => { log('info', message); });
  await leaveNote(home);

  const reach = await chooseReach(home.clusterDir, home.account, options.reach ?? (process.platform === 'win32' ? 'loopback' : 'socket'));
  const plan: ServerPlan = { home, binaries, reach, serverLog: new ServerLog(home.dataDir), password, throwAway, connections, as };
  let owned: OwnedServer | undefined;
  try {
    owned = await takeServer(plan, log, new AbortController().signal);
    await removeDeadAttempts(home);
    await ensureDatabase(owned.lock, DATABASE);
  } catch (error) {
    await owned?.server.stop();
    await releaseReach(reach.host);
    throw error;
  }
  const keeper = new Keeper(plan, owned, log, options.onLost ?? (() => undefined));
  return {
    connection: { host: reach.host, port: reach.port, user: SUPERUSER, password, database: DATABASE },
    clusterDir: home.clusterDir,
    stop: () => keeper.stop(),
  };
}
