import { setTimeout as delay } from 'node:timers/promises';
import { statfs } from 'node:fs/promises';
import type { Client } from 'pg';
import { DISK_FULL, DataDirInUseError, EmbeddedPostgresError } from './embedded-postgres-error.js';
import { askServer, connect, disconnect, takeLock } from './ownership.js';
import { type PostmasterPid, isAlive, isPostmasterOf, readPostmasterPid, removeStalePid } from './postmaster-pid.js';
import { releaseReach } from './reach.js';
import { type Server, type ServerPlan, endServer, spawnServer, untilReady } from './server.js';

export type Log = (level: 'info' | 'warn' | 'error', message: string) => void;

/** A server that this process started, and the connection that holds the lock on it. */
export interface OwnedServer { server: Server; lock: Client }

/** Recovery after a crash replays at most max_wal_size, but a slow disk may be at work. */
const READY_LIMIT = 180_000;
/** How long a server may neither answer nor end. */
const SILENCE_LIMIT = 60_000;
const LOCK_PATIENCE = 1_500;
/** A server younger than this, whose keeper is alive, is no orphan: the keeper is about to take the lock. */
const YOUNG = 5;
const STARTS = 8;
/** A postmaster.pid without content is being written, unless it stays so: then a crash left it. */
const WRITING_LIMIT = 2_000;

/** Failures to start that pass: a contender was faster, the processes of a killed server are still ending, the port was taken. */
const PASSING = /lock file ".*" (already exists|is empty)|pre-existing shared memory block|could not create any TCP|Address already in use/;

/**
 * Gets a server of our own running and takes the lock on it. Whatever server is found running is either another
 * Gatehouse's (DataDirInUseError) or an orphan, which is stopped. Each round looks anew, because contenders act
 * at the same time; PostgreSQL's own lock file sees to it that only one server runs, the lock that only one
 * Gatehouse owns it. One whose server is taken away gives up, so there is always progress.
 */
export async function takeServer(plan: ServerPlan, log: Log, signal: AbortSignal): Promise<OwnedServer> {
  const { clusterDir } = plan.home;
  let failures = 0;
  let silentSince: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    const found = await findServer(plan);
    if (found.state === 'running') {
      silentSince = null;
      await dealWithRunning(plan, found.client, found.file, log, signal).finally(() => { disconnect(found.client); });
    } else if (found.state === 'silent') {
      silentSince ??= Date.now();
      if (Date.now() - silentSince > SILENCE_LIMIT) {
        throw new EmbeddedPostgresError(
          `a PostgreSQL server (process ${found.file.pid}) on ${clusterDir} neither answers nor ends; end it, then start Gatehouse again`);
      }
      await delay(20, undefined, { signal });
    } else {
      silentSince = null;
      const owned = await startServer(plan, signal);
      if (!('failure' in owned)) return owned;
      if (!owned.passing || ++failures === STARTS) throw owned.failure;
      await delay(Math.min(50 * 2 ** failures, 2_000), undefined, { signal });
    }
  }
}

/**
 * Takes the lock on a server of our own, which may be recovering from the crash of one of its processes.
 * Null if the server ends meanwhile.
 */
export async function takeLockOnOwn(plan: ServerPlan, server: Server, signal: AbortSignal): Promise<Client | null> {
  const until = Date.now() + READY_LIMIT;
  while (server.running && Date.now() < until) {
    signal.throwIfAborted();
    const connection = await connect({ host: plan.reach.host, port: plan.reach.port, password: plan.password, as: plan.as });
    if (connection.state === 'denied') throw wrongPassword(plan, server.pid);
    if (connection.state === 'open') {
      const { client } = connection;
      try {
        if (await takeLock(client, LOCK_PATIENCE, signal)) return client;
        throw new DataDirInUseError(plan.home.dataDir, (await askServer(client)).owner);
      } catch (error) {
        disconnect(client);
        if (error instanceof DataDirInUseError) throw error;
      }
    }
    await delay(20, undefined, { signal });
  }
  return null;
}

type Found =
  | { state: 'absent' }
  | { state: 'silent'; file: PostmasterPid }
  | { state: 'running'; file: PostmasterPid; client: Client };

/** Connecting comes first: it finds servers whose process number means nothing here (another container's). */
async function findServer(plan: ServerPlan): Promise<Found> {
  const { clusterDir } = plan.home;
  const file = await readPostmasterPid(clusterDir);
  if (file === null) return { state: 'absent' };
  if (file.pid === 0) {
    await delay(WRITING_LIMIT);
    if ((await readPostmasterPid(clusterDir))?.text === file.text) await removeStalePid(clusterDir, file);
    return { state: 'silent', file };
  }
  const host = file.socketDir || file.listenAddress;
  const connection = host && file.port
    ? await connect({ host, port: file.port, password: plan.password, as: plan.as })
    : { state: 'refused' as const };
  if (connection.state === 'open') return { state: 'running', file, client: connection.client };

  const alive = await isPostmasterOf(clusterDir, file.pid);
  if (alive && connection.state === 'denied') throw wrongPassword(plan, file.pid);
  // A socket is the cluster's own, but a dead server's port may be anybody's by now.
  if (alive || (connection.state === 'not yet' && file.socketDir !== '')) return { state: 'silent', file };
  // Windows cannot tell a postmaster by its number, so there the file is left for PostgreSQL to judge.
  if (isAlive(file.pid) && process.platform !== 'win32') await removeStalePid(clusterDir, file);
  if (file.socketDir !== plan.reach.host) await releaseReach(file.socketDir);
  return { state: 'absent' };
}

function wrongPassword(plan: ServerPlan, pid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `the PostgreSQL server (process ${pid}) on ${plan.home.clusterDir} does not accept the password kept there; `
    + 'restore the directory from the backup as a whole, or set another DATA_DIR / --data-dir');
}

/** Returns when the server found is gone, or is worth another look. */
async function dealWithRunning(plan: ServerPlan, client: Client, file: PostmasterPid, log: Log, signal: AbortSignal): Promise<void> {
  const { clusterDir, dataDir } = plan.home;
  const facts = await askServer(client).catch(() => null);
  // It was shut down while answering.
  if (facts === null) return;
  if (facts.keeper === null) {
    throw new EmbeddedPostgresError(
      `a PostgreSQL server (process ${file.pid}) that Gatehouse did not start is running on ${clusterDir}; stop it first`);
  }
  if (!facts.locked && facts.age < YOUNG && isAlive(facts.keeper)) {
    await delay(50, undefined, { signal });
    return;
  }
  const mine = await takeLock(client, LOCK_PATIENCE, signal).catch(() => null);
  if (mine === null) return;
  if (!mine) throw new DataDirInUseError(dataDir, (await askServer(client).catch(() => facts)).owner);
  if (!await isPostmasterOf(clusterDir, file.pid)) {
    throw new EmbeddedPostgresError(
      `a PostgreSQL server is running on ${clusterDir} where this process cannot stop it (in another container?); `
      + 'stop it, or set another DATA_DIR / --data-dir');
  }
  log('warn', `stopping the PostgreSQL server (process ${file.pid}) that a killed Gatehouse (process ${facts.keeper}) left running`);
  if (!await endServer(file.pid, plan.binaries, async () => !await isPostmasterOf(clusterDir, file.pid))) {
    throw new EmbeddedPostgresError(`the PostgreSQL server (process ${file.pid}) on ${clusterDir} does not end; end it, then start again`);
  }
}

interface Failure { failure: EmbeddedPostgresError; passing: boolean }

async function startServer(plan: ServerPlan, signal: AbortSignal): Promise<OwnedServer | Failure> {
  const logged = await plan.serverLog.size();
  const server = await spawnServer(plan);
  try {
    const lock = await untilReady(server, plan.home.clusterDir, READY_LIMIT, signal)
      ? await takeLockOnOwn(plan, server, signal)
      : null;
    if (lock !== null) return { server, lock };
  } catch (error) {
    // Whoever has the lock stops the server itself.
    if (!(error instanceof DataDirInUseError)) await server.stop();
    throw error;
  }
  const askedToEnd = !server.running && server.exitCode === 0;
  await server.stop();
  // Nobody but another owner asks a server that just started to shut down.
  if (askedToEnd) throw new DataDirInUseError(plan.home.dataDir, null);
  return startFailure(plan, server, await plan.serverLog.tail(logged));
}

async function startFailure(plan: ServerPlan, server: Server, tail: string): Promise<Failure> {
  const { home, serverLog } = plan;
  const space = await statfs(home.clusterDir).catch(() => null);
  const full = DISK_FULL.test(tail) || (space !== null && space.bavail * space.bsize < 1024 * 1024);
  const reason = server.spawnError?.message ?? (full ? 'the disk is full; make room' : `see ${serverLog.path}`);
  return {
    failure: new EmbeddedPostgresError(
      `the embedded PostgreSQL on ${home.clusterDir} does not start${home.account ? ` as the account ${home.account.name}` : ''}: ${reason}. `
      + `The end of its log:\n${tail}`),
    passing: server.spawnError === null && PASSING.test(tail),
  };
}
