import { execFile } from 'node:child_process';
import { link, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemErrorCode } from './embedded-postgres-error.js';

/** What a running PostgreSQL says of itself in its cluster. */
export interface PostmasterPid {
  pid: number;
  port: number;
  socketDir: string;
  listenAddress: string;
  status: string;
  /** the file's text: tells one server's file from another's */
  text: string;
}

/** Reads postmaster.pid; null if there is none. A file still being written has pid 0 and empty fields. */
export async function readPostmasterPid(clusterDir: string): Promise<PostmasterPid | null> {
  const text = await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => null);
  return text === null ? null : parsePostmasterPid(text);
}

/** The lines: pid, data directory, start time, port, socket directory, address, shared memory, status. */
export function parsePostmasterPid(text: string): PostmasterPid {
  const lines = text.split('\n');
  return {
    // A server in single-user mode writes its pid with a minus.
    pid: Math.abs(Number(lines[0])) || 0,
    port: Number(lines[3]) || 0,
    socketDir: lines[4] ?? '',
    listenAddress: lines[5] ?? '',
    status: lines[7]?.trim() ?? '',
    text,
  };
}

/** Whether a process with this number exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

/** Whether the process is this cluster's server, and not another one that got the number later. */
export async function isPostmasterOf(clusterDir: string, pid: number): Promise<boolean> {
  if (pid <= 0 || !isAlive(pid)) return false;
  if (process.platform === 'linux') {
    // A server's working directory is its cluster. stat follows the link even between mount namespaces.
    const [cwd, cluster] = await Promise.all([`/proc/${pid}/cwd`, clusterDir].map((path) => stat(path).catch(() => null)));
    return cwd?.dev === cluster?.dev && cwd?.ino === cluster?.ino && cwd?.ino !== undefined;
  }
  // On Windows postgres finds that out by itself.
  if (process.platform === 'win32') return true;
  const command = await promisify(execFile)('ps', ['-ww', '-p', String(pid), '-o', 'command=']).catch(() => ({ stdout: '' }));
  return command.stdout.includes('postgres') && command.stdout.includes(clusterDir);
}

/**
 * Removes the file of a server that is gone. PostgreSQL does so itself, unless a living process of the same
 * account has the number by now. Two starts may do this at once, so the file is moved aside first: if it turns
 * out to be a new server's, it goes back.
 */
export async function removeStalePid(clusterDir: string, stale: PostmasterPid): Promise<void> {
  const path = join(clusterDir, 'postmaster.pid');
  const aside = `${path}.stale-${process.pid}-${Date.now()}`;
  if (!await rename(path, aside).then(() => true, () => false)) return;
  if (await readFile(aside, 'utf8') !== stale.text) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
