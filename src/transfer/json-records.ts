import { LONGEST_RECORD, type SourceRecord } from './source-record.js';
import { TransferError } from './transfer-error.js';

/** The records of JSON lines: an object a line, empty lines left out. @throws TransferError when a line has no end */
export async function* jsonRecords(text: AsyncIterable<string>): AsyncGenerator<SourceRecord> {
  let line = 0;
  for await (const content of linesOf(text)) {
    line += 1;
    if (content.trim() !== '') yield recordOf(line, content);
  }
}

async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let line = 0;
  let rest = '';
  for await (const chunk of text) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    line += lines.length;
    if (rest.length > LONGEST_RECORD) throw new TransferError(`Line ${String(line + 1)} is longer than any record can be.`);
  }
  yield rest;
}

function recordOf(line: number, content: string): SourceRecord {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // What the parser says repeats what it read.
    return { line, values: null, fault: 'is not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { line, values: null, fault: 'is not a JSON object' };
  return { line, values: new Map(Object.entries(value)) };
}
