import { pipeline, Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { LONGEST_RECORD, type SourceRecord } from './source-record.js';
import { TransferError } from './transfer-error.js';

/** What the parser found, in our words: its own repeat what it read. */
const FAULTS: Partial<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'has a quote that is not closed before the end of the file',
  CSV_INVALID_CLOSING_QUOTE: 'has something after a closing quote',
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE: 'has something after a closing quote',
  INVALID_OPENING_QUOTE: 'has a quote in the middle of a value that is not quoted',
  CSV_MAX_RECORD_SIZE: 'is longer than any record can be: perhaps a quote before it is not closed',
};

/**
 * The records of a CSV file (RFC 4180) whose first line names the columns.
 * @param check says what is wrong with the columns, `null` for nothing
 * @throws TransferError when it cannot be read on, or the columns are not good
 */
export async function* csvRecords(text: AsyncIterable<string>, check: (columns: readonly string[]) => string | null): AsyncGenerator<SourceRecord> {
  let columns: readonly string[] | null = null;
  let next = 1;
  for await (const row of rowsOf(text)) {
    const line = next;
    next += 1 + row.reduce((count, value) => count + lineBreaks(value), 0);
    if (row.length === 1 && row[0] === '') continue;
    if (columns === null) {
      columns = row;
      const fault = check(columns);
      if (fault !== null) throw new TransferError(`The first line must name the columns: ${fault}.`);
      continue;
    }
    yield recordOf(line, columns, row);
  }
}

/** The rows, empty lines too, so that the lines can be counted: having the parser count them takes as long as parsing. */
async function* rowsOf(text: AsyncIterable<string>): AsyncGenerator<string[]> {
  const parser = parse({ relax_column_count: true, trim: true, max_record_size: LONGEST_RECORD });
  // What goes wrong on the way comes out at the other end.
  pipeline(Readable.from(text), parser, () => undefined);
  try {
    yield* parser as AsyncIterable<string[]>;
  } catch (error) {
    const { code, lines } = error as Partial<CsvError>;
    const fault = code === undefined ? undefined : FAULTS[code];
    if (fault === undefined) throw error;
    throw new TransferError(`Line ${String(lines)} ${fault}: the file cannot be read any further.`, { cause: error });
  }
}

function recordOf(line: number, columns: readonly string[], record: readonly string[]): SourceRecord {
  if (record.length !== columns.length) {
    return { line, values: null, fault: `has ${String(record.length)} values, and the first line names ${String(columns.length)} columns` };
  }
  return { line, values: new Map(columns.map((column, index) => [column, record[index]])) };
}

function lineBreaks(value: string): number {
  return value.includes('\n') ? value.split('\n').length - 1 : 0;
}
