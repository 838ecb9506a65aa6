import { type SpawnOptions, spawn } from 'node:child_process';
import { chown, lchown, mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The unprivileged account that PostgreSQL runs as when Gatehouse itself is root. */
export interface Account { uid: number; gid: number; name: string }

export interface RunResult { code: number | null; text: string }

/**
 * Nothing of Gatehouse's own environment: it holds secrets that the other account could read in /proc, and
 * PG…, LD_LIBRARY_PATH and locale variables that would change what the programs do.
 */
export const CHILD_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Who runs PostgreSQL. PostgreSQL refuses root, so root hands it to the owner of the cluster or to `nobody`;
 * null means this process's own account.
 */
export async function serverAccount(clusterDir: string | null): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  if (clusterDir !== null) {
    const { uid, gid } = await stat(clusterDir);
    if (uid !== 0) return { uid, gid, name: await accountName(uid) };
  }
  const nobody = (await accounts()).find((account) => account.name === 'nobody');
  return nobody ?? { uid: 65534, gid: 65534, name: 'nobody' };
}

/** The name of an account, or its number where it has none. */
export async function accountName(uid: number): Promise<string> {
  return (await accounts()).find((account) => account.uid === uid)?.name ?? `user ${uid}`;
}

async function accounts(): Promise<Account[]> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return passwd.split('\n').map((line) => {
    const [name = '', , uid, gid] = line.split(':');
    return { name, uid: Number(uid), gid: Number(gid) };
  });
}

/** The spawn options that make a child run as the account. */
export function spawnAs(account: Account | null): Pick<SpawnOptions, 'uid' | 'gid' | 'env' | 'windowsHide'> {
  return { env: CHILD_ENVIRONMENT, windowsHide: true, ...(account && { uid: account.uid, gid: account.gid }) };
}

/** Runs a program to its end as the account; a program that cannot be started has code null. */
export function runAs(
  account: Account | null, program: string, args: string[], options: { cwd?: string; timeout: number },
): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      ...spawnAs(account), ...(options.cwd !== undefined && { cwd: options.cwd }), stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Not spawn's own timeout: its timer stays behind, and holds the process, when the program cannot be started.
    const timer = setTimeout(() => { child.kill('SIGKILL'); }, options.timeout);
    let text = '';
    const collect = (chunk: Buffer) => { text += chunk.toString(); };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const end = (result: RunResult) => {
      clearTimeout(timer);
      resolve(result);
    };
    child.on('error', (error) => { end({ code: null, text: error.message }); });
    child.on('close', (code) => { end({ code, text }); });
  });
}

/** Hands a file or directory to the account; nothing to do where Gatehouse and PostgreSQL share one. */
export async function giveTo(account: Account | null, path: string): Promise<void> {
  if (account) await chown(path, account.uid, account.gid);
}

/** Hands over a whole tree, without following links. */
export async function giveTreeTo(account: Account, path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
  }
  await lchown(path, account.uid, account.gid);
}

/**
 * Whether the account can work in a directory of its own below `parent`: tried out, because mode bits do not
 * tell (ACLs, mounts without owners, a home of mode 0700 further up).
 */
export async function canWorkBelow(account: Account, parent: string): Promise<boolean> {
  let directory: string | undefined;
  try {
    directory = await mkdtemp(join(parent, 'postgres.try-'));
    await giveTo(account, directory);
    const result = await runAs(account, '/bin/sh', ['-c', 'cd "$1" && : > file', 'sh', directory], { timeout: 10_000 });
    return result.code === 0;
  } catch {
    return false;
  } finally {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }
}
