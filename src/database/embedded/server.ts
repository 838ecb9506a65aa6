import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { spawnAs } from './account.js';
import type { Binaries } from './binaries.js';
import type { Home } from './home.js';
import type { OwnerKind } from './ownership.js';
import { readPostmasterPid } from './postmaster-pid.js';
import type { Reach } from './reach.js';
import type { ServerLog } from './server-log.js';

/** Everything that stays the same however often the server has to be started. */
export interface ServerPlan {
  home: Home;
  binaries: Binaries;
  reach: Reach;
  serverLog: ServerLog;
  password: string;
  throwAway: boolean;
  /** how many connections Gatehouse itself may open */
  connections: number;
  /** what this process is, for others that want the server */
  as: OwnerKind;
}

/** The setting in which a server carries the number of the Gatehouse process that started it. */
export const KEEPER_SETTING = 'gatehouse.keeper';

/** For a small machine and some ten megabytes of data; the defaults are for a server of its own. */
const SETTINGS: Record<string, string> = {
  shared_buffers: '32MB',
  huge_pages: 'off',
  max_wal_size: '256MB',
  // No replicas, so the log need carry only what recovery takes.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  autovacuum_worker_slots: '3',
  io_method: 'sync',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
  // Statements and "Failing row contains (…)" would write people's data to the log.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

const FEWEST_CONNECTIONS = 60;
/** For the keeper, the memory's lease, commands beside the server, and people who look. */
const FURTHER_CONNECTIONS = 20;

const THROW_AWAY: Record<string, string> = { fsync: 'off', full_page_writes: 'off' };

/** Fast shutdown, then immediate shutdown (the next start recovers), then the end. */
const ESCALATION = [['SIGINT', 30_000], ['SIGQUIT', 5_000], ['SIGKILL', 5_000]] as const;

/** A PostgreSQL that this process started. */
export class Server {
  /** settles, never fails, when the process is gone */
  readonly exited: Promise<void>;
  exitCode: number | null = null;
  spawnError: Error | null = null;
  running = true;
  private readonly killWithUs = () => { this.child.kill('SIGINT'); };

  constructor(private readonly child: ChildProcess, private readonly binaries: Binaries) {
    this.exited = new Promise((resolve) => {
      const end = (code: number | null) => {
        this.running = false;
        this.exitCode = code;
        process.off('exit', this.killWithUs);
        resolve();
      };
      child.once('exit', end);
      child.once('error', (error) => {
        this.spawnError = error;
        end(null);
      });
    });
    // A process that ends without a word to its keeper (an uncaught exception) leaves no server behind.
    process.on('exit', this.killWithUs);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    await endServer(this.pid, this.binaries, () => Promise.resolve(!this.running));
  }
}

/** Starts PostgreSQL, without waiting for it. */
export async function spawnServer(plan: ServerPlan): Promise<Server> {
  const settings = {
    ...SETTINGS, max_connections: String(Math.max(FEWEST_CONNECTIONS, plan.connections + FURTHER_CONNECTIONS)), ...plan.reach.serverSettings, [KEEPER_SETTING]: String(process.pid), ...(plan.throwAway && THROW_AWAY),
  };
  const log = await plan.serverLog.open();
  try {
    const child = spawn(
      plan.binaries.postgres,
      ['-D', plan.home.clusterDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      // A process group of its own: Ctrl-C in the terminal is for Gatehouse, which stops the server last.
      { ...spawnAs(plan.home.account), cwd: plan.home.clusterDir, detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    return new Server(child, plan.binaries);
  } finally {
    await log.close();
  }
}

/** Waits until the server accepts connections; false if it ended instead, or is not there in time. */
export async function untilReady(server: Server, clusterDir: string, limit: number, signal: AbortSignal): Promise<boolean> {
  const until = Date.now() + limit;
  while (server.running && Date.now() < until) {
    // Reading the status costs nothing; trying to connect would cost a process and a line in the log.
    const file = await readPostmasterPid(clusterDir);
    if (file?.pid === server.pid && file.status === 'ready') return true;
    await delay(4, undefined, { signal });
  }
  return false;
}

/** Stops a server, asking ever less kindly; false if it would not end. */
export async function endServer(pid: number, binaries: Binaries, isGone: () => Promise<boolean>): Promise<boolean> {
  for (const [signal, patience] of ESCALATION) {
    const until = Date.now() + patience;
    if (await isGone()) return true;
    await sendSignal(pid, signal, binaries);
    while (Date.now() < until) {
      if (await isGone()) return true;
      await delay(5);
    }
  }
  return isGone();
}

async function sendSignal(pid: number, signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL', binaries: Binaries): Promise<void> {
  // Windows has no signals; PostgreSQL has its own there, and pg_ctl sends them.
  if (process.platform === 'win32' && signal !== 'SIGKILL') {
    await promisify(execFile)(binaries.pgCtl, ['kill', signal.slice(3), String(pid)]).catch(() => undefined);
    return;
  }
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself just now.
  }
}
