import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DataSource } from 'typeorm';
import { isPostgresUrl, jwtSecretFile, type Settings } from '../config/index.js';
import { type DatabaseTarget, migrate, moveDatabase, type Moved, MoveRefusedError, type MoveSide, prepareDatabase } from '../database/index.js';
import { runningInstances } from '../doctor/index.js';
import { isAway } from '../errors/index.js';
import type { Cli } from './cli.js';
import { CommandError, usageError } from './command-error.js';
import { openDatabase, requireSchema } from './database.js';
import { EXIT } from './exit-codes.js';

const OBSTACLES = { 'not empty': EXIT.conflict, 'in use': EXIT.unavailable, 'not the same': EXIT.failure } as const;

/** What was moved, and what the server has to be told of it. */
export interface Move extends Moved {
  /** Variables for its environment; the password that belongs into the URL is left out. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Moves everything to another database.
 * @throws CommandError, EmbeddedPostgresError, StartError
 */
export async function move(cli: Cli, settings: Settings, url: string): Promise<Move> {
  if (!isPostgresUrl(url)) throw usageError('The target is no URL of a PostgreSQL, such as postgres://user:password@host:5432/database, special characters in it percent-encoded.');
  const database = await openDatabase(settings, cli.out);
  try {
    if (database.serverRuns === true) throw inUse('The server runs on the embedded database');
    const moved = await cli.reaching(settings, () => withDatabase(database.target, settings, async (source) => {
      await requireSchema(source);
      // The embedded database is this process's alone.
      const side = database.serverRuns === null ? sideOf(source, 'the database that DATABASE_URL names') : { dataSource: source, requireUnused: () => Promise.resolve() };
      await side.requireUnused();
      return toTarget(cli, settings, url, side);
    }));
    return { ...moved, settings: settingsFor(url, settings) };
  } finally {
    await database.close();
  }
}

async function toTarget(cli: Cli, settings: Settings, url: string, source: MoveSide): Promise<Moved> {
  // The source may go away as well as the target: what happens between the two is told apart from the way there.
  const between = await reachingTarget(cli, { ...settings, databaseUrl: url, databasePooler: 'auto' }, async (target) => {
    await migrate(target);
    const side = sideOf(target, 'the target');
    await side.requireUnused();
    return moveDatabase(source, side, (said) => { cli.out.note(said); }).catch((error: unknown) => new GivenUp(error));
  });
  if (!(between instanceof GivenUp)) return between;
  const { error } = between;
  if (error instanceof MoveRefusedError) throw new CommandError(`Nothing was moved: ${error.message}.`, OBSTACLES[error.obstacle]);
  if (!(error instanceof Error) || !(isAway(error) || 'routine' in error)) throw error;
  throw new CommandError(
    `The move was given up: ${error.message}. Unless the connection broke at the very end, nothing has changed: run it again, which only compares if all is there.`,
    EXIT.unavailable,
  );
}

class GivenUp {
  constructor(readonly error: unknown) {}
}

/** @throws CommandError that names the target, where that cannot be used */
async function reachingTarget<T>(cli: Cli, settings: Settings, work: (target: DataSource) => Promise<T>): Promise<T> {
  try {
    return await cli.reaching(settings, () => withDatabase({ url: settings.databaseUrl ?? '' }, settings, work));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'StartError') throw error;
    throw new CommandError(`${error.message.replace('that DATABASE_URL names', 'to move to')}.`, EXIT.unavailable);
  }
}

async function withDatabase<T>(target: DatabaseTarget, settings: Settings, work: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const results: T[] = [];
  await prepareDatabase(target, settings, async (dataSource) => { results.push(await work(dataSource)); });
  return results[0] as T;
}

function sideOf(dataSource: DataSource, where: string): MoveSide {
  return { dataSource, requireUnused: () => requireNoServer(dataSource, where) };
}

async function requireNoServer(dataSource: DataSource, where: string): Promise<void> {
  const { length } = await runningInstances(dataSource);
  if (length > 0) throw inUse(`${String(length)} server${length === 1 ? ' runs' : 's run'} on ${where}`);
}

function inUse(what: string): CommandError {
  return new CommandError(`${what}: stop it first (one that was killed is forgotten after a minute and a half). What it wrote meanwhile would be lost.`, EXIT.unavailable);
}

/** The generated secret that signs tokens stays what it is, and is to be named from now on. */
function settingsFor(url: string, { jwtSecret, dataDir, databaseUrl }: Settings): Record<string, string> {
  const shown = new URL(url.replace('@/', '@localhost/'));
  shown.password = '';
  shown.searchParams.delete('password');
  const { path } = jwtSecretFile(dataDir);
  const generated = jwtSecret === undefined && databaseUrl === undefined && existsSync(path);
  return { DATABASE_URL: shown.href, ...(generated ? { JWT_SECRET_FILE: resolve(path) } : {}) };
}
