import { validate as isUuid } from 'uuid';

/** Something that is wrong with one field. */
export interface FieldFault {
  /** As the file calls it. */
  readonly field: string;
  readonly reason: string;
}

/** The names that a field may have, the best one first. */
export type Names = readonly string[];

const CONTROL_OR_SURROGATE = /[\u0000-\u001f\u007f\p{Cs}]/u;
const FLAGS = new Map<string, boolean>([
  ['true', true], ['t', true], ['yes', true], ['y', true], ['1', true],
  ['false', false], ['f', false], ['no', false], ['n', false], ['0', false],
]);

/** Every record of a file has the same names. */
const folded = new Map<string, string>();
const MOST_FOLDED = 1_000;

/** `password_hash`, `passwordHash` and `Password Hash` are one name. */
export function foldName(name: string): string {
  let fold = folded.get(name);
  if (fold === undefined) {
    fold = name.toLowerCase().replace(/[\s_-]/g, '');
    if (folded.size < MOST_FOLDED) folded.set(name, fold);
  }
  return fold;
}

/** Reads the fields of one record and gathers everything that is wrong with them. */
export class RecordFields {
  readonly faults: FieldFault[] = [];
  private readonly byName: ReadonlyMap<string, readonly [name: string, value: unknown]>;

  constructor(values: ReadonlyMap<string, unknown>) {
    this.byName = new Map([...values].map(([name, value]) => [foldName(name), [name, value]]));
  }

  /** Whether the file has such a field at all, if only with nothing in it. */
  has(names: Names): boolean {
    return names.some((name) => this.byName.has(foldName(name)));
  }

  /** The first of the fields that is there; nothing, as CSV has it, is `null`. */
  raw(names: Names): unknown {
    const value = this.entry(names)?.[1] ?? null;
    return value === '' ? null : value;
  }

  /** A line of text. */
  text(names: Names, longest: number): string | null {
    const value = this.raw(names);
    if (value === null) return null;
    if (typeof value !== 'string') return this.refuse(names, 'must be a string');
    if (CONTROL_OR_SURROGATE.test(value)) return this.refuse(names, 'must not contain control characters');
    if ([...value].length > longest) return this.refuse(names, `must have at most ${String(longest)} characters`);
    return value;
  }

  /** A text that a rule holds for. */
  ruled(names: Names, longest: number, holds: (text: string) => boolean, rule: string): string | null {
    const value = this.text(names, longest);
    return value === null || holds(value) ? value : this.refuse(names, rule);
  }

  /** Yes or no, in one of the ways in which databases write that. */
  flag(names: Names): boolean | null {
    const value = this.raw(names);
    if (value === null) return null;
    const written = typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' ? String(value) : '';
    return FLAGS.get(written.toLowerCase()) ?? this.refuse(names, 'must be true or false');
  }

  /** A moment: ISO 8601, as databases write it, in UTC where it does not say; or a number of seconds or milliseconds. */
  time(names: Names): Date | null {
    const value = this.raw(names);
    if (value === null) return null;
    return momentOf(value) ?? this.refuse(names, 'must be a time, such as 2024-01-31T12:00:00Z');
  }

  /** An id that can stay: a UUID. Another kind of id is none. */
  uuid(names: Names): string | null {
    const value = this.raw(names);
    return typeof value === 'string' && isUuid(value) ? value.toLowerCase() : null;
  }

  /** Notes what is wrong with a field. */
  refuse(names: Names, reason: string): null {
    this.faults.push({ field: this.entry(names)?.[0] ?? names[0] ?? '', reason });
    return null;
  }

  private entry(names: Names): readonly [name: string, value: unknown] | undefined {
    const name = names.find((one) => this.byName.has(foldName(one)));
    return name === undefined ? undefined : this.byName.get(foldName(name));
  }
}

const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?(Z|UTC|[+-]\d{2}(?::?\d{2})?))?)?$/i;
/** Numbers of seconds have ten digits until the year 2286, those of milliseconds thirteen. */
const LATEST_SECONDS = 99_999_999_999;

function momentOf(value: unknown): Date | null {
  if (typeof value === 'number' || (typeof value === 'string' && /^\d{9,13}$/.test(value))) {
    const number = Number(value);
    return known(new Date(number > LATEST_SECONDS ? number : number * 1000));
  }
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = typeof value === 'string' ? (TIME.exec(value) ?? []) : [];
  if (year === undefined) return null;
  const parts = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3))] as const;
  const time = new Date(Date.UTC(...parts));
  // The 31st of February would be a day in March.
  const written = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate(), time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()];
  if (written.some((part, index) => part !== parts[index])) return null;
  return known(new Date(time.getTime() - offsetOf(zone)));
}

function offsetOf(zone: string): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  return sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** Years that PostgreSQL and JSON write with four digits. */
function known(time: Date): Date | null {
  const year = time.getUTCFullYear();
  return year >= 1970 && year <= 9999 ? time : null;
}
