import { createHash } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Account, accountName, canWorkBelow, giveTreeTo, serverAccount } from './account.js';
import { EmbeddedPostgresError, systemErrorCode } from './embedded-postgres-error.js';

/** Where the cluster is, or will be, and who runs it. */
export interface Home {
  /** the data directory, with links resolved */
  dataDir: string;
  /** the directory that holds the cluster: the data directory, or one that an unprivileged account can reach */
  dir: string;
  clusterDir: string;
  account: Account | null;
}

const CLUSTER = 'postgres';
const NOTE = 'postgres-is-elsewhere.txt';

/** Finds the cluster that belongs to a data directory; null if there is none, and nothing is made then. */
export async function findExistingHome(dataDir: string): Promise<Home | null> {
  const real = await realpath(dataDir).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  });
  const clusterDir = real === null ? null : await existingCluster(real);
  if (real === null || clusterDir === null) return null;
  const account = await serverAccount(clusterDir);
  await checkOwner(clusterDir, account);
  return { dataDir: real, dir: dirname(clusterDir), clusterDir, account };
}

/** Finds the cluster that belongs to a data directory, or the place for a new one. */
export async function findHome(dataDir: string, systemDir: string): Promise<Home> {
  // Root leaves the way through to the cluster open, which itself is closed to everyone but its owner.
  await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const real = await realpath(dataDir);
  const existing = await existingCluster(real);
  const account = await serverAccount(existing);
  if (existing !== null) await checkOwner(existing, account);
  const dir = existing === null ? await placeForNew(real, account, systemDir) : dirname(existing);
  return { dataDir: real, dir, clusterDir: join(dir, CLUSTER), account };
}

/** Tells people, and the next start, where the cluster is when it is not in the data directory. */
export async function leaveNote(home: Home): Promise<void> {
  if (home.dir === home.dataDir || await readNote(home.dataDir) !== null) return;
  const path = join(home.dataDir, NOTE);
  const file = await open(`${path}.new`, 'w', 0o644);
  await file.writeFile(
    `Gatehouse was started as root, and PostgreSQL refuses to run as root. The account it runs as instead,\n`
    + `${home.account?.name ?? 'nobody'}, cannot reach this directory. So the database that belongs to it is kept in\n\n`
    + `${home.clusterDir}\n\n`
    + `Back up both together. Gatehouse reads the path above from this file: do not delete it.\n`);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
}

async function existingCluster(dataDir: string): Promise<string | null> {
  const here = join(dataDir, CLUSTER);
  if (await exists(here)) return here;
  const elsewhere = await readNote(dataDir);
  if (elsewhere === null) return null;
  if (await exists(elsewhere)) return elsewhere;
  throw new EmbeddedPostgresError(
    `the database of DATA_DIR ${dataDir} should be in ${elsewhere}, as ${join(dataDir, NOTE)} says, but it is not there; `
    + 'bring it back, or delete that file to start with an empty database');
}

async function readNote(dataDir: string): Promise<string | null> {
  const note = await readFile(join(dataDir, NOTE), 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw error;
  });
  return note.split('\n').find((line) => line.startsWith('/'))?.trimEnd() ?? null;
}

async function placeForNew(dataDir: string, account: Account | null, systemDir: string): Promise<string> {
  if (account === null || await canWorkBelow(account, dataDir)) return dataDir;
  const digest = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const dir = join(systemDir, `${basename(dataDir) || 'data'}-${digest}`);
  await mkdir(dir, { recursive: true, mode: 0o711 });
  if (await canWorkBelow(account, dir)) return dir;
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and the account ${account.name} can work neither in DATA_DIR ${dataDir} nor in ${dir}; `
    + 'let it through to one of them (chmod a+x on the directories above), run Gatehouse as an ordinary user, or set DATABASE_URL');
}

async function checkOwner(clusterDir: string, account: Account | null): Promise<void> {
  const { uid } = await stat(clusterDir);
  if (account !== null) {
    // Somebody's restore or `chown -R root`: what root owns, no PostgreSQL can use.
    if (uid === 0) await giveTreeTo(account, clusterDir);
    return;
  }
  const self = process.getuid?.();
  if (self === undefined || uid === self) return;
  const [owner, me] = [await accountName(uid), await accountName(self)];
  throw new EmbeddedPostgresError(
    `the database in ${clusterDir} belongs to the account ${owner}, and Gatehouse runs as ${me}; `
    + `start Gatehouse as ${owner} or root, give it to ${me} (chown -R ${me} ${clusterDir}), or set another DATA_DIR / --data-dir`);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, (error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  });
}
