import type { EntityManager } from 'typeorm';
import { LOCKS, tryLock } from '../database/index.js';
import type { ImportOptions, ImportOutcome, ImportReport, Refusal } from './import-report.js';
import type { FieldFault } from './record-fields.js';
import type { SourceRecord } from './source-record.js';
import { TransferError } from './transfer-error.js';

const BATCH = 1_000;
/** From how many rows on tables are prepared for them. */
const MANY = 5_000;
/** How often rows may come in between the check and the insert before something else must be wrong. */
const MOST_TRIES = 5;
/** SQLSTATE insufficient_privilege. */
const NOT_ALLOWED = '42501';

/** What is read of a line. */
interface StagedRow {
  line: number;
}

/** How one kind of thing is staged, checked against what is there, and written. */
export interface Staging<Row extends StagedRow> {
  /** The columns of the staging table, beside those that every one has. */
  readonly columns: Readonly<Record<keyof Omit<Row, 'line'> & string, string>>;
  /** The columns that the checks look rows up by. */
  readonly indexed: readonly (keyof Row & string)[];
  read(line: number, values: ReadonlyMap<string, unknown>): Row | FieldFault[];
  /** Completes rows with what the database knows, or refuses them. */
  resolve?(manager: EntityManager, rows: Row[]): Promise<(Row | Refusal)[]>;
  /** Prepares tables for very many new rows, before anything else touches them; returns what brings back what was before and never fails. */
  prepareForMany?(): Promise<() => Promise<void>>;
  /**
   * Statements that set `state`, and `field` and `reason` with it, of rows of `incoming` that are still `new`; and those
   * that lock what these rely on until the end.
   */
  readonly checks: readonly string[];
  /** Writes rows that are `new` and makes them `imported`, of those with a line after $1 up to $2. */
  readonly write: string;
}

/** Ends the transaction without a trace, and without a failure. */
class NothingWritten extends Error {
  constructor(readonly outcome: ImportOutcome) {
    super('nothing is to be written');
  }
}

/**
 * Moves what a file holds into the database, in one transaction: through a table of its own, so that a file of any length
 * takes no memory here, and so that the database itself finds what is there twice or is there already.
 * @param finish is done in the same transaction, once all is written
 * @throws TransferError when another import is under way
 */
export async function importStaged<Row extends StagedRow>(
  inTransaction: (work: (manager: EntityManager) => Promise<ImportOutcome>) => Promise<ImportOutcome>,
  staging: Staging<Row>,
  records: AsyncIterable<SourceRecord>,
  options: ImportOptions,
  report: ImportReport,
  finish: (manager: EntityManager, outcome: ImportOutcome) => Promise<void>,
): Promise<ImportOutcome> {
  const afterwards: (() => Promise<void>)[] = [];
  try {
    return await inTransaction(async (manager) => {
      if (!(await tryLock(manager, LOCKS.transfer))) throw new TransferError('Another import is under way: wait until it is done.');
      const outcome = await new StagedImport(manager, staging, options, report, afterwards).run(records);
      await finish(manager, outcome);
      return outcome;
    });
  } catch (error) {
    if (error instanceof NothingWritten) return error.outcome;
    throw error;
  } finally {
    for (const bringBack of afterwards) await bringBack();
  }
}

class StagedImport<Row extends StagedRow> {
  private read = 0;
  private refused = 0;

  constructor(
    private readonly manager: EntityManager,
    private readonly staging: Staging<Row>,
    private readonly options: ImportOptions,
    private readonly report: ImportReport,
    private readonly afterwards: (() => Promise<void>)[],
  ) {}

  async run(records: AsyncIterable<SourceRecord>): Promise<ImportOutcome> {
    await this.createTable();
    await this.load(records);
    await this.index();
    if (!this.isFutile && this.read >= MANY && this.staging.prepareForMany !== undefined) this.afterwards.push(await this.staging.prepareForMany());
    for (let tries = 0; ; tries += 1) {
      await this.check();
      const { fresh } = await this.counts();
      if (this.isFutile) throw new NothingWritten(await this.outcome(false));
      if (fresh === 0) return this.outcome(true);
      // What another transaction has made in the meantime stays `new`, and is looked at again.
      if (tries === MOST_TRIES) throw new Error('rows that nothing is wrong with could not be written');
      await this.write();
    }
  }

  /** Nothing will be written, whatever else there is. */
  private get isFutile(): boolean {
    return this.options.dryRun || (this.refused > 0 && !this.options.skipInvalid);
  }

  private async createTable(): Promise<void> {
    const columns = Object.entries(this.staging.columns).map(([name, type]) => `, ${name} ${type as string}`);
    const make = this.manager.query(
      `CREATE TEMPORARY TABLE incoming (
         line bigint PRIMARY KEY, state text NOT NULL DEFAULT 'new', field text, reason text, told boolean NOT NULL DEFAULT false${columns.join('')}
       ) ON COMMIT DROP`,
    );
    await make.catch((error: unknown) => {
      if ((error as { code?: string }).code !== NOT_ALLOWED) throw error;
      throw new TransferError("The database's role may make no temporary table: GRANT TEMPORARY ON DATABASE … TO … lets it.", { cause: error });
    });
  }

  private async load(records: AsyncIterable<SourceRecord>): Promise<void> {
    let rows: Row[] = [];
    for await (const { line, values, fault } of records) {
      if (values === null) {
        this.refused += 1;
        await this.report.refused({ line, field: null, reason: fault ?? 'cannot be read' });
      } else {
        const row = this.staging.read(line, values);
        if (Array.isArray(row)) await this.refuse(line, row);
        else rows.push(row);
      }
      this.read += 1;
      if (this.read % BATCH === 0) this.report.progress('read', this.read);
      if (rows.length < BATCH) continue;
      await this.stage(rows);
      rows = [];
    }
    await this.stage(rows);
    this.report.progress('read', this.read);
  }

  private async refuse(line: number, faults: readonly FieldFault[]): Promise<void> {
    this.refused += 1;
    for (const { field, reason } of faults) await this.report.refused({ line, field, reason });
  }

  private async stage(rows: Row[]): Promise<void> {
    if (rows.length === 0) return;
    const resolved = (await this.staging.resolve?.(this.manager, rows)) ?? rows;
    const good: Row[] = [];
    for (const row of resolved) {
      if ('reason' in row) {
        this.refused += 1;
        await this.report.refused(row);
      } else {
        good.push(row);
      }
    }
    const names = Object.keys(this.staging.columns);
    const types = Object.entries(this.staging.columns).map(([name, type]) => `${name} ${/^\S+/.exec(type as string)?.[0] ?? ''}`);
    await this.manager.query(
      `INSERT INTO incoming (line, ${names.join(', ')}) SELECT line, ${names.join(', ')} FROM jsonb_to_recordset($1::jsonb) AS row (line bigint, ${types.join(', ')})`,
      [JSON.stringify(good)],
    );
  }

  private async index(): Promise<void> {
    for (const column of this.staging.indexed) await this.manager.query(`CREATE INDEX ON incoming (${column})`);
    // Nothing else tells the planner how many rows there are.
    await this.manager.query('ANALYZE incoming');
  }

  private async check(): Promise<void> {
    for (const statement of this.staging.checks) await this.manager.query(statement);
    for (let after = 0; ;) {
      const refusals = await this.manager.query<{ line: string; field: string | null; reason: string }[]>(
        `SELECT line, field, reason FROM incoming WHERE state = 'refused' AND NOT told AND line > $1 ORDER BY line LIMIT ${BATCH}`,
        [after],
      );
      for (const { line, field, reason } of refusals) await this.report.refused({ line: Number(line), field, reason });
      this.refused += refusals.length;
      if (refusals.length < BATCH) break;
      after = Number(refusals.at(-1)?.line);
    }
    await this.manager.query("UPDATE incoming SET told = true WHERE state = 'refused' AND NOT told");
  }

  private async write(): Promise<void> {
    let written = 0;
    for (let after = 0; ;) {
      const [last] = await this.manager.query<{ line: string }[]>(
        `SELECT max(line) AS line FROM (SELECT line FROM incoming WHERE state = 'new' AND line > $1 ORDER BY line LIMIT ${BATCH}) AS batch HAVING count(*) > 0`,
        [after],
      );
      if (last === undefined) break;
      const [, count] = await this.manager.query<[unknown, number]>(this.staging.write, [after, last.line]);
      written += count;
      this.report.progress('written', written);
      after = Number(last.line);
    }
  }

  private async counts(): Promise<{ fresh: number; imported: number; unchanged: number }> {
    const [row] = await this.manager.query<{ fresh: string; imported: string; unchanged: string }[]>(
      `SELECT count(*) FILTER (WHERE state = 'new') AS fresh, count(*) FILTER (WHERE state = 'imported') AS imported,
              count(*) FILTER (WHERE state = 'unchanged') AS unchanged
         FROM incoming`,
    );
    return { fresh: Number(row?.fresh), imported: Number(row?.imported), unchanged: Number(row?.unchanged) };
  }

  private async outcome(done: boolean): Promise<ImportOutcome> {
    const { fresh, imported, unchanged } = await this.counts();
    return { read: this.read, imported: imported + fresh, unchanged, refused: this.refused, done };
  }
}
