import type { DataSource } from 'typeorm';
import type { Settings } from '../config/index.js';
import { borrowEmbeddedPostgres, type DatabaseTarget, findPendingMigrations } from '../database/index.js';
import { CommandError } from './command-error.js';
import { EXIT } from './exit-codes.js';
import type { Output } from './output.js';

/** The database that a command works on. */
export interface CommandDatabase {
  readonly target: DatabaseTarget;
  /** Whether a server keeps the embedded database at this moment; `null` where nobody can tell: the database is elsewhere. */
  readonly serverRuns: boolean | null;
  close(): Promise<void>;
}

/**
 * The database of `DATABASE_URL`, or the embedded one: the running server's, or started for the command.
 * @param mayCreate makes an embedded database where there is none
 * @throws EmbeddedPostgresError
 */
export async function openDatabase(settings: Settings, out: Output, mayCreate = false): Promise<CommandDatabase> {
  const { databaseUrl, dataDir } = settings;
  if (databaseUrl !== undefined) return { target: { url: databaseUrl }, serverRuns: null, close: () => Promise.resolve() };
  const embedded = await borrowEmbeddedPostgres({
    dataDir,
    mayCreate,
    log: (level, message) => { if (level !== 'info') out.note(message); },
  });
  return { target: embedded.connection, serverRuns: embedded.serverRuns, close: () => embedded.stop() };
}

/** @throws CommandError when migrations have not run */
export async function requireSchema(dataSource: DataSource): Promise<void> {
  const { length } = await findPendingMigrations(dataSource);
  if (length === 0) return;
  throw new CommandError(
    `The schema of the database is behind this version of Gatehouse (${String(length)} migration${length === 1 ? ' has' : 's have'} not run): `
      + 'run gatehouse migrate, or start the server.',
    EXIT.unavailable,
  );
}
