import type { ClientBase } from 'pg';
import { MoveRefusedError } from './move-refused.js';
import type { Table } from './tables.js';

/** So many rows are held at a time. */
const BATCH = 1_000;

/** Within a transaction: the same value has the same text on both sides, and nothing ends the work half-way. */
export const SAME_TEXTS = `
  SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1;
  SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '10s'`;

/** Copies a table; each row travels as the JSON that PostgreSQL itself writes and reads. @returns how many rows */
export async function copyRows(source: ClientBase, target: ClientBase, table: Table): Promise<number> {
  const columns = table.columns.join(', ');
  const insert = `INSERT INTO ${table.quoted} (${columns}) OVERRIDING SYSTEM VALUE
    SELECT ${columns} FROM json_populate_recordset(NULL::${table.quoted}, $1::json)`;
  let copied = 0;
  for await (const rows of batches<{ row: string }>(source, `SELECT row_to_json(r)::text AS row FROM (SELECT ${columns} FROM ${table.quoted}) r`)) {
    const { rowCount } = await target.query(insert, [`[${rows.map(({ row }) => row).join(',')}]`]);
    copied += rowCount ?? 0;
  }
  for (const column of table.counted) await goOnCounting(source, target, table, column);
  return copied;
}

/** What the source would have counted up to next is what the target goes on with. */
async function goOnCounting(source: ClientBase, target: ClientBase, { quoted }: Table, column: string): Promise<void> {
  const { rows: [sequence] } = await source.query<{ name: string }>('SELECT pg_get_serial_sequence($1, $2) AS name', [quoted, column]);
  const { rows: [last] } = await source.query<{ value: string; called: boolean }>(`SELECT last_value AS value, is_called AS called FROM ${sequence?.name ?? ''}`);
  await target.query('SELECT setval(pg_get_serial_sequence($1, $2), $3, $4)', [quoted, column, last?.value, last?.called]);
}

interface HashedRow {
  readonly key: string;
  readonly hash: string;
}

/**
 * Compares a table row by row, in the order of its key: every column of every row, by a hash that each side makes itself.
 * @returns how many rows there are on both sides
 * @throws MoveRefusedError that names the first row that is not the same
 */
export async function compareRows(source: ClientBase, target: ClientBase, table: Table): Promise<number> {
  const statement = hashedRows(table);
  const theirs = oneByOne(batches<HashedRow>(target, statement));
  let compared = 0;
  for await (const row of oneByOne(batches<HashedRow>(source, statement))) {
    const { value: other } = await theirs.next();
    if (row.key !== other?.key || row.hash !== other.hash) throw difference(table, row, other);
    compared += 1;
  }
  const { value: extra } = await theirs.next();
  if (extra !== undefined) throw difference(table, undefined, extra);
  return compared;
}

function hashedRows({ quoted, columns, key }: Table): string {
  const order = key.map(({ quoted: column, isText }) => (isText ? `${column} COLLATE "C"` : column)).join(', ');
  return `SELECT ROW(${key.map(({ quoted: column }) => column).join(', ')})::text AS key,
      encode(sha256(convert_to(ROW(${columns.join(', ')})::text, 'UTF8')), 'hex') AS hash FROM ${quoted} ORDER BY ${order}`;
}

function difference({ name }: Table, row: HashedRow | undefined, other: HashedRow | undefined): MoveRefusedError {
  const which = row?.key === other?.key
    ? `the row ${row?.key ?? ''} is not the same in both`
    : `the row ${row?.key ?? other?.key ?? ''} is in one of them alone`;
  return new MoveRefusedError('not the same', `of the table ${name}, ${which}`);
}

/** The rows of a statement, some at a time, by a cursor of the transaction that is open. */
async function* batches<Row extends object>(client: ClientBase, statement: string): AsyncGenerator<Row[]> {
  await client.query(`DECLARE moved NO SCROLL CURSOR FOR ${statement}`);
  for (;;) {
    const { rows } = await client.query<Row>(`FETCH ${String(BATCH)} FROM moved`);
    if (rows.length > 0) yield rows;
    if (rows.length < BATCH) break;
  }
  await client.query('CLOSE moved');
}

async function* oneByOne<Row>(all: AsyncGenerator<Row[]>): AsyncGenerator<Row, undefined> {
  for await (const rows of all) yield* rows;
  return undefined;
}
