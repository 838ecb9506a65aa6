import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { LOCKS } from '../locks.js';
import { MoveRefusedError } from './move-refused.js';
import { compareRows, copyRows, SAME_TEXTS } from './rows.js';
import { findTables, type Table } from './tables.js';

/** One database's copy in another. */
export interface Moved {
  /** Whether it had been copied before, and was only compared now. */
  readonly before: boolean;
  readonly tables: readonly MovedTable[];
  /** Tables of the source that Gatehouse knows nothing of, and that stay where they are. */
  readonly left: readonly string[];
}

/** A table of which every row is there, and the same. */
export interface MovedTable {
  readonly name: string;
  readonly rows: number;
}

/** One of the two databases. */
export interface MoveSide {
  readonly dataSource: DataSource;
  /** Throws where a server runs on it; asked once no other can start any more. */
  readonly requireUnused: () => Promise<void>;
}

/**
 * Copies all tables of a database to an empty one, and compares them row by row. Both have the same schema. What is copied
 * is the state at one moment; servers that would start meanwhile wait, on either side, and nobody else writes.
 *
 * The target has all of it or nothing: it is one transaction there, which is committed once all rows have been found to
 * be the same. Killed at any moment it can be begun again, and after the end it finds that all is there.
 * @param tell hears of each table that is done
 * @throws MoveRefusedError, and then nothing has changed
 */
export async function moveDatabase(sourceSide: MoveSide, targetSide: MoveSide, tell: (said: string) => void): Promise<Moved> {
  const [source, target] = [sourceSide.dataSource, targetSide.dataSource];
  if ((await identityOf(source)) === (await identityOf(target))) throw new MoveRefusedError('not empty', 'the target is this very database');
  const theirs = new Map((await findTables(source)).map((table) => [table.name, table]));
  // What the target alone has is none of Gatehouse's: both have run the same migrations.
  const tables = (await findTables(target)).filter(({ name }) => theirs.has(name));
  const other = tables.find(({ name, columns }) => [...columns].sort().join() !== [...(theirs.get(name)?.columns ?? [])].sort().join());
  if (other !== undefined) throw new MoveRefusedError('not the same', `the table ${other.name} has other columns in the target`);
  const left = [...theirs.keys()].filter((name) => !tables.some((table) => table.name === name));

  const moved = await holdingOffStarts(sourceSide, () => inTransaction(source, 'REPEATABLE READ READ ONLY', async (from) => {
    // Before the first look: what is committed until then is in it, and nothing comes after it.
    await lock(from, tables, 'SHARE');
    return holdingOffStarts(targetSide, () => inTransaction(target, 'READ COMMITTED', async (to) => {
      await lock(to, tables, 'EXCLUSIVE');
      const before = await hasRows(to, tables);
      if (before.length > 0) return { before: true, tables: await compareEarlier(from, to, tables, before), left };
      for (const table of tables) {
        const rows = await copyRows(from, to, table);
        tell(`copied   ${table.name}: ${String(rows)}`);
      }
      return { before: false, tables: await compareAll(from, to, tables, tell), left };
    }));
  }));
  // Not before there is something: a planner that takes tables for empty goes through all of them. All is there without
  // it, and autovacuum comes to it in the end.
  if (!moved.before) await target.query(`ANALYZE ${tables.map(({ quoted }) => quoted).join(', ')}`).catch(() => undefined);
  return moved;
}

/** Which database of which server, since when. */
async function identityOf(dataSource: DataSource): Promise<string> {
  const [row] = await dataSource.query<[{ identity: string }]>(
    'SELECT concat_ws(\' \', oid, pg_postmaster_start_time()::text, inet_server_port()) AS identity FROM pg_database WHERE datname = current_database()',
  );
  return row.identity;
}

async function compareAll(from: ClientBase, to: ClientBase, tables: readonly Table[], tell: (said: string) => void): Promise<MovedTable[]> {
  const same: MovedTable[] = [];
  for (const table of tables) {
    const rows = await compareRows(from, to, table);
    tell(`compared ${table.name}: ${String(rows)}`);
    same.push({ name: table.name, rows });
  }
  return same;
}

/** A target that is not empty is either a copy that was made before, or somebody else's. */
async function compareEarlier(from: ClientBase, to: ClientBase, tables: readonly Table[], filled: readonly string[]): Promise<MovedTable[]> {
  try {
    return await compareAll(from, to, tables, () => undefined);
  } catch (error) {
    if (!(error instanceof MoveRefusedError)) throw error;
    throw new MoveRefusedError('not empty', `the target has rows already (in ${filled.join(', ')}), and is no copy of this database: ${error.message}`);
  }
}

async function hasRows(client: ClientBase, tables: readonly Table[]): Promise<string[]> {
  const found: string[] = [];
  for (const { name, quoted } of tables) {
    const { rows: [row] } = await client.query<{ some: boolean }>(`SELECT EXISTS (SELECT FROM ${quoted}) AS some`);
    if (row?.some === true) found.push(name);
  }
  return found;
}

async function lock(client: ClientBase, tables: readonly Table[], mode: 'SHARE' | 'EXCLUSIVE'): Promise<void> {
  try {
    await client.query(`LOCK TABLE ${tables.map(({ quoted }) => quoted).join(', ')} IN ${mode} MODE`);
  } catch (error) {
    // SQLSTATE lock_not_available: somebody writes, and does not come to an end.
    if ((error as { code?: string }).code !== '55P03') throw error;
    throw new MoveRefusedError('in use', 'somebody else is writing to the database; stop whatever uses it, and try again');
  }
}

/** One transaction on a connection of its own. */
async function inTransaction<T>(dataSource: DataSource, mode: string, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as ClientBase;
    await client.query(`BEGIN ISOLATION LEVEL ${mode}; ${SAME_TEXTS}`);
    try {
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  } finally {
    await runner.release();
  }
}

/** A server that starts waits for its turn at the migrations, and has not begun anything by then; one may have been quicker. */
function holdingOffStarts<T>({ dataSource, requireUnused }: MoveSide, work: () => Promise<T>): Promise<T> {
  return inTransaction(dataSource, 'READ COMMITTED', async (client) => {
    const { rows: [row] } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS taken', [LOCKS.migrations]);
    if (row?.taken !== true) throw new MoveRefusedError('in use', 'a server is just starting on the database, or another command is at work there');
    await requireUnused();
    return work();
  });
}
