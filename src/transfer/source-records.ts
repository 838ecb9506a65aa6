import { csvRecords } from './csv-records.js';
import { jsonRecords } from './json-records.js';
import type { Format, SourceRecord } from './source-record.js';
import { decoded, peek } from './text-input.js';
import { TransferError } from './transfer-error.js';

/**
 * The records of a file, one after the other, in whichever memory one of them takes.
 * @param format `null`: what begins like an object is JSON lines, everything else CSV
 * @param check says what is wrong with the columns of a CSV file
 * @throws TransferError when the file cannot be read on
 */
export async function* sourceRecords(
  input: AsyncIterable<Buffer>,
  format: Format | null,
  check: (columns: readonly string[]) => string | null,
): AsyncGenerator<SourceRecord> {
  const { first, all } = await peek(decoded(input));
  if (first === null) throw new TransferError('The file is empty.');
  if (first === '[' && format !== 'csv') throw new TransferError("This is one JSON array, not JSON lines: jq -c '.[]' makes these of it.");
  yield* (format ?? (first === '{' ? 'jsonl' : 'csv')) === 'jsonl' ? jsonRecords(all) : csvRecords(all, check);
}
