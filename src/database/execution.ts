import type { Duplex } from 'node:stream';
import pg from 'pg';
import { serialize } from 'pg-protocol';
import type { PreparedQuery, Value } from './prepared-queries.js';

/** A connection as the driver hands it to a statement that submits itself (as `pg-cursor` does). */
interface Wire {
  readonly stream: Duplex;
  /** The texts of the statements that are prepared on it, or about to be, by name. */
  readonly parsedStatements: Record<string, string | undefined>;
  readonly submittedNamedStatements: Record<string, string | undefined>;
}

const readerOf = pg.types.getTypeParser as (type: number) => Column['read'];

const DESCRIBE = serialize.describe({ type: 'P' });
const EXECUTE_AND_SYNC = Buffer.concat([serialize.execute({}), serialize.sync()]);

interface Column {
  readonly name: string;
  readonly read: (text: string) => unknown;
}

/** What the columns of each statement are: PostgreSQL is asked once, not with every execution. */
const columnsOf = new WeakMap<PreparedQuery, readonly Column[]>();

/**
 * One execution of a prepared statement. The driver's own `Query` asks for the columns each time, and builds an emitter and
 * a result around what is a row or a few here: half of what a query costs this process.
 */
export class Execution<Row> {
  /** What it is prepared as on its connection; nothing where it must leave nothing there. The driver reads it too. */
  name: string;
  readonly text: string;
  /** Set by the driver. */
  declare callback: (error: Error | null) => void;
  /** What has arrived by the time the driver calls back. */
  readonly rows: Row[] = [];
  private columns: readonly Column[] | undefined;

  constructor(
    private readonly query: PreparedQuery,
    private readonly values: readonly Value[],
  ) {
    this.name = query.name;
    this.text = query.text;
    this.columns = columnsOf.get(query);
  }

  /** Sends parse (the first time on a connection), bind, describe (the first time ever) and execute, in one go. */
  submit(wire: Wire): void {
    const { name, text, values } = this;
    const messages: Buffer[] = [];
    if (name === '') {
      messages.push(serialize.parse({ text }));
    } else if (wire.parsedStatements[name] === undefined && wire.submittedNamedStatements[name] === undefined) {
      messages.push(serialize.parse({ name, text }));
      wire.submittedNamedStatements[name] = text;
    }
    messages.push(serialize.bind({ statement: name, values: values.map(sendable) }));
    if (this.columns === undefined) messages.push(DESCRIBE);
    messages.push(EXECUTE_AND_SYNC);
    // One write: several that are held together go out together, but each costs something of its own.
    wire.stream.write(Buffer.concat(messages));
  }

  handleRowDescription({ fields }: { fields: { name: string; dataTypeID: number }[] }): void {
    this.columns = fields.map(({ name, dataTypeID }) => ({ name, read: readerOf(dataTypeID) }));
    columnsOf.set(this.query, this.columns);
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    const row: Record<string, unknown> = {};
    for (let at = 0; at < fields.length; at += 1) {
      const column = this.columns?.[at];
      const text = fields[at] ?? null;
      if (column !== undefined) row[column.name] = text === null ? null : column.read(text);
    }
    this.rows.push(row as Row);
  }

  handleCommandComplete(): void {
    // How many rows there were is of no interest.
  }

  handleReadyForQuery(): void {
    this.callback(null);
  }

  handleError(error: Error): void {
    this.callback(error);
  }
}

function sendable(value: Value): string | Buffer | null {
  if (typeof value === 'number') return String(value);
  if (value === null || typeof value === 'string' || Buffer.isBuffer(value)) return value;
  return `{${value.map(quoted).join(',')}}`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
