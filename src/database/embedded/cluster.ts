import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveTo, runAs } from './account.js';
import type { Binaries } from './binaries.js';
import { DISK_FULL, EmbeddedPostgresError, systemErrorCode } from './embedded-postgres-error.js';
import type { Home } from './home.js';

export const SUPERUSER = 'gatehouse';

/**
 * The password lives inside the cluster, so that the one rename which brings the cluster brings the password:
 * neither can exist without the other.
 */
const PASSWORD_FILE = 'gatehouse.password';
const ATTEMPT = 'postgres.new-';
const INITDB_LIMIT = 300_000;

/** Makes the cluster if there is none, checks it if there is one, and returns its password. */
export async function openCluster(
  home: Home, binaries: Binaries, throwAway: boolean, log: (message: string) => void,
): Promise<string> {
  if (!await isCluster(home.clusterDir)) {
    log(`creating the database in ${home.clusterDir}`);
    await createCluster(home, binaries, throwAway);
  }
  await checkVersion(home.clusterDir, binaries);
  return readPassword(home);
}

/** The password of a cluster that there is. */
export function readPassword(home: Home): Promise<string> {
  return readFile(join(home.clusterDir, PASSWORD_FILE), 'utf8').catch((cause: unknown) => {
    throw new EmbeddedPostgresError(
      `${join(home.clusterDir, PASSWORD_FILE)}, the password of the embedded database, cannot be read; `
      + `${systemErrorCode(cause) === 'EACCES' ? 'run this as the account that runs the server' : 'restore it from the backup'}, `
      + 'or set another DATA_DIR / --data-dir', { cause });
  });
}

/** Removes what starts that were killed in the middle of it left behind. Only for the owner of the cluster. */
export async function removeDeadAttempts(home: Home): Promise<void> {
  for (const name of await readdir(home.dir)) {
    // One that is still alive has lost already: it finds the cluster in its place, and its files gone.
    if (name.startsWith(ATTEMPT)) await rm(join(home.dir, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}

/** initdb works in a directory of its own; only a whole cluster is renamed into place. The first one wins. */
async function createCluster(home: Home, binaries: Binaries, throwAway: boolean): Promise<void> {
  const attempt = await mkdtemp(join(home.dir, ATTEMPT));
  try {
    const cluster = join(attempt, 'cluster');
    const passwordFile = join(attempt, PASSWORD_FILE);
    await giveTo(home.account, attempt);
    await writeFile(passwordFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
    await giveTo(home.account, passwordFile);
    await initdb(home, binaries, attempt, [
      '-D', cluster, `--pwfile=${passwordFile}`, ...(throwAway ? ['--no-sync'] : []),
    ]);
    await rename(passwordFile, join(cluster, PASSWORD_FILE));
    for (const path of throwAway ? [] : [join(cluster, PASSWORD_FILE), cluster]) await sync(path);
    await rename(cluster, home.clusterDir);
    if (!throwAway) await sync(home.dir);
  } catch (error) {
    if (!await isCluster(home.clusterDir)) throw error;
  } finally {
    await rm(attempt, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function initdb(home: Home, binaries: Binaries, cwd: string, args: string[]): Promise<void> {
  const { code, text } = await runAs(home.account, binaries.initdb, [
    // PostgreSQL's own C.UTF-8 with the C locale below it: the same everywhere, and no locale need be installed.
    '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-locale', '--encoding=UTF8',
    '--auth=scram-sha-256', `--username=${SUPERUSER}`, '--no-instructions', ...args,
  ], { cwd, timeout: INITDB_LIMIT });
  if (code === 0) return;
  if (text.includes('could not look up effective user ID')) {
    // `docker run --user 1000` in an image that knows no user 1000
    throw new EmbeddedPostgresError(
      `the account that Gatehouse runs as (${process.getuid?.() ?? 'unknown'}) has no entry in /etc/passwd, and PostgreSQL creates no database `
      + 'for such an account; run Gatehouse as an account that has one, or as root, or set DATABASE_URL to use a PostgreSQL of your own');
  }
  const full = DISK_FULL.test(text) ? ': the disk is full' : '';
  throw new EmbeddedPostgresError(
    `the embedded database could not be created in ${home.clusterDir}${full}; put that right, set another DATA_DIR / --data-dir, `
    + `or set DATABASE_URL to use a PostgreSQL of your own. initdb said:\n${text.trim().split('\n').slice(-6).join('\n')}`);
}

async function checkVersion(clusterDir: string, binaries: Binaries): Promise<void> {
  const version = (await readFile(join(clusterDir, 'PG_VERSION'), 'utf8')).trim();
  if (version === binaries.major) return;
  throw new EmbeddedPostgresError(
    `the database in ${clusterDir} was made by PostgreSQL ${version}, and this Gatehouse brings PostgreSQL ${binaries.major}; `
    + `start the Gatehouse version that made it and carry the data over with pg_dump, or set another DATA_DIR / --data-dir`);
}

function isCluster(clusterDir: string): Promise<boolean> {
  return stat(join(clusterDir, 'PG_VERSION')).then(() => true, () => false);
}

async function sync(path: string): Promise<void> {
  // Windows has no handle for a directory to sync.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}
