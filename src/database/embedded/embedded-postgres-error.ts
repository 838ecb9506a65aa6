import type { Owner } from './ownership.js';

/** The embedded PostgreSQL cannot run. The message is for a person: what is wrong and what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name: string = 'EmbeddedPostgresError';
}

/** Another process owns the data directory: trying again is no use while it runs. */
export class DataDirInUseError extends EmbeddedPostgresError {
  override readonly name = 'DataDirInUseError';
  /** Whether it is a command, which is soon gone. */
  readonly passes: boolean;

  constructor(dataDir: string, owner: Owner | null) {
    const passes = owner?.kind === 'command';
    const who = passes ? 'a gatehouse command' : 'another Gatehouse';
    super(`${who}${owner === null ? '' : ` (process ${owner.pid})`} is already using DATA_DIR ${dataDir}; `
      + (passes ? 'try again when it has ended' : 'stop it, or set another DATA_DIR / --data-dir'));
    this.passes = passes;
  }
}

/** The code of a system error ("EACCES"), if it is one. */
export function systemErrorCode(error: unknown): string | undefined {
  // Not `instanceof Error`: under Jest, Node's own errors come from another realm.
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** How PostgreSQL's programs say that the disk is full. */
export const DISK_FULL = /No space left on device|Check free disk space/;

const ADVICE: Partial<Record<string, string>> = {
  EACCES: 'give this account the right to write there, or set another DATA_DIR / --data-dir',
  EPERM: 'give this account the right to write there, or set another DATA_DIR / --data-dir',
  EROFS: 'it is on a read-only file system; set another DATA_DIR / --data-dir',
  ENOSPC: 'the disk is full; make room, or set another DATA_DIR / --data-dir',
  EDQUOT: 'the disk quota is used up; make room, or set another DATA_DIR / --data-dir',
  ENOTEMPTY: 'something that is not a database is in its place; move it away, or set another DATA_DIR / --data-dir',
  ENOTDIR: 'a file is in the way; set another DATA_DIR / --data-dir',
  EEXIST: 'a file is in the way; set another DATA_DIR / --data-dir',
};

/** Puts whatever went wrong into words; an EmbeddedPostgresError is already in words. */
export function inWords(error: unknown, dataDir: string): EmbeddedPostgresError {
  if (error instanceof EmbeddedPostgresError) return error;
  const reason = String(error).replace(/^Error: /, '');
  const advice = ADVICE[systemErrorCode(error) ?? ''] ?? 'or set DATABASE_URL to use a PostgreSQL of your own';
  return new EmbeddedPostgresError(`the embedded PostgreSQL cannot use DATA_DIR ${dataDir} (${reason}); ${advice}`, { cause: error });
}
