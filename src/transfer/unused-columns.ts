import type { ImportReport } from './import-report.js';
import { foldName, type Names } from './record-fields.js';
import type { SourceRecord } from './source-record.js';

/** What is wrong with columns of which two have the same name, as names are compared; `null` when nothing is. */
export function faultOfRepeated(names: readonly string[]): string | null {
  const folded = names.map(foldName);
  const twice = names.find((_, index) => folded.indexOf(folded[index] ?? '') !== index);
  return twice === undefined ? null : `${JSON.stringify(twice)} is there twice`;
}

/** The columns of a file that nothing is made of. */
export function unusedColumns(used: Readonly<Record<string, Names>>, names: readonly string[]): string[] {
  const folded = new Set(Object.values(used).flat().map(foldName));
  return names.filter((name) => !folded.has(foldName(name)));
}

/** Passes records on, and tells which columns of the first one nothing is made of. */
export async function* reportingUnused(
  records: AsyncIterable<SourceRecord>,
  unusedOf: (names: readonly string[]) => string[],
  report: ImportReport,
): AsyncGenerator<SourceRecord> {
  let told = false;
  for await (const record of records) {
    if (!told && record.values !== null) {
      const unused = unusedOf([...record.values.keys()]);
      if (unused.length > 0) report.unused(unused);
      told = true;
    }
    yield record;
  }
}
