import type { ImportReport } from './import-report.js';
import type { SourceRecord } from './source-record.js';

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
