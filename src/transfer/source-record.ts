/** One thing of a file. */
export interface SourceRecord {
  /** The line that it begins in; the first is 1. */
  readonly line: number;
  /** Its values by the names that the file has for them; `null` when the line could not be read, for the reason beside it. */
  readonly values: ReadonlyMap<string, unknown> | null;
  readonly fault?: string;
}

export const FORMATS = ['csv', 'jsonl'] as const;

export type Format = (typeof FORMATS)[number];

/** Nothing that is to be imported takes more; a quote that is not closed would take the rest of the file. */
export const LONGEST_RECORD = 256 * 1024;
