import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of a test's own; what is in it is removed with it. */
export interface TestDirectory {
  readonly path: string;
  remove(): void;
}

/** Makes a directory that the account of an embedded database can pass through. */
export function makeDirectory(mode = 0o711): TestDirectory {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-e2e-'));
  chmodSync(path, mode);
  return { path, remove: () => { rmSync(path, { recursive: true, force: true }); } };
}

/** The PostgreSQL servers that run on a cluster below a directory. */
export function postgresBelow(directory: string): string[] {
  return execFileSync('ps', ['-ww', '-eo', 'pid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(`-D ${directory}`) && !/^\s*\d+\s+Z/.test(line));
}

/** Variables for a start on an embedded database. */
export function embeddedIn(dataDir: string): Record<string, string | undefined> {
  return { DATA_DIR: dataDir, JWT_SECRET: undefined, DATABASE_URL: undefined };
}
