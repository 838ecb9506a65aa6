import { validate as isUuid } from 'uuid';
import { AuthError, type FieldError } from '../../errors/index.js';
import { hasRealDay } from '../../http/index.js';
import { isEmailAddress, isUsername } from '../../users/index.js';
import { fieldsOf } from '../dialect.js';

/** Where a field was, what is wrong with it, and the name that this product's framework has for that. */
export interface FieldFault extends FieldError {
  loc: string[];
  type: string;
}

class WrongValue extends Error {
  constructor(
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

/** Makes sense of one value. */
type Reader<T> = (value: unknown) => T;

type ReadFields<Readers> = { [Name in keyof Readers]: Readers[Name] extends Reader<infer T> ? T : never };

/**
 * Reads the fields of a body or a query, and reports all that is wrong together. What nobody asked for is ignored.
 * @throws AuthError `validation_failed`
 */
export function readFields<Readers extends Record<string, Reader<unknown>>>(
  where: 'body' | 'query',
  source: unknown,
  readers: Readers,
): ReadFields<Readers> {
  const fields = fieldsOf(source);
  const faults: FieldFault[] = [];
  const values = Object.entries(readers).map(([name, read]) => {
    try {
      return [name, read(fields[name])];
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      faults.push(faultOf([where, name], error));
      return [name, undefined];
    }
  });
  const isObject = typeof source === 'object' && source !== null && !Array.isArray(source);
  if (faults.length === 0 && !isObject) faults.push(faultOf([where], new WrongValue('dict_type', 'Input should be a valid dictionary')));
  if (faults.length > 0) throw new AuthError('validation_failed', { fields: faults });
  return Object.fromEntries(values) as ReadFields<Readers>;
}

/** Reads the id in a path. @throws AuthError `validation_failed` */
export function readPathId(name: string, value: string): string {
  try {
    return uuid(value);
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    throw new AuthError('validation_failed', { fields: [faultOf(['path', name], error)] });
  }
}

/** A field whose text is another's, where there are two to be sure of the typing. @throws AuthError `validation_failed` */
export function requireSame(name: string, value: string, other: string): void {
  if (value === other) return;
  throw new AuthError('validation_failed', { fields: [faultOf(['body', name], new WrongValue('value_error', 'Passwords do not match'))] });
}

function faultOf(loc: string[], { type, message }: WrongValue): FieldFault {
  return { field: loc.join('.'), loc, type, message };
}

/** A field that must be there. */
export function required<T>(read: Reader<T>): Reader<T> {
  return (value) => {
    if (value === undefined) throw new WrongValue('missing', 'Field required');
    return read(value);
  };
}

/** A field that may be left out (`undefined`) or be emptied (`null`). */
export function optional<T>(read: Reader<T>): Reader<T | null | undefined> {
  return (value) => (value === undefined || value === null ? value : read(value));
}

export const text: Reader<string> = (value) => {
  if (typeof value !== 'string') throw new WrongValue('string_type', 'Input should be a valid string');
  return value;
};

/** A text that is not empty. In a form an empty field is one that was not filled in. */
export const filled: Reader<string> = (value) => {
  if (value === '') throw new WrongValue('missing', 'Field required');
  return text(value);
};

/** One line of text. */
export function line(most: number): Reader<string> {
  return (value) => {
    const given = text(value);
    if (given.length > most) throw new WrongValue('string_too_long', `String should have at most ${String(most)} characters`);
    if (/\p{Cc}/u.test(given)) throw new WrongValue('value_error', 'String should not contain control characters');
    return given;
  };
}

/** One line of text that is not blank. */
export function named(most: number): Reader<string> {
  const read = line(most);
  return (value) => {
    const given = read(value);
    if (given.trim() === '') throw new WrongValue('string_too_short', 'String should have at least 1 character');
    return given;
  };
}

export const email: Reader<string> = (value) => {
  if (!isEmailAddress(text(value))) throw new WrongValue('value_error', 'value is not a valid email address');
  return text(value);
};

export const username: Reader<string> = (value) => {
  if (isUsername(text(value))) return text(value);
  throw new WrongValue('value_error', 'Username should be letters, digits, dots, dashes and underscores');
};

export const uuid: Reader<string> = (value) => {
  if (!isUuid(value)) throw new WrongValue('uuid_parsing', 'Input should be a valid UUID');
  return String(value).toLowerCase();
};

export const port: Reader<number> = (value) => {
  if (!Number.isInteger(value)) throw new WrongValue('int_type', 'Input should be a valid integer');
  if (Number(value) < 1 || Number(value) > 65_535) throw new WrongValue('value_error', 'Input should be from 1 to 65535');
  return Number(value);
};

/** A switch in a query. */
export const flag: Reader<boolean> = (value) => {
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  throw new WrongValue('bool_parsing', 'Input should be a valid boolean');
};

const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;

/** A moment to come, in ISO 8601; without an offset it is UTC. */
export const futureTime: Reader<Date> = (value) => {
  const [written, offset] = TIME.exec(text(value)) ?? [];
  const utc = written === undefined || offset !== undefined || written.length === 10 ? '' : 'Z';
  const time = new Date(`${written ?? ''}${utc}`.replace(' ', 'T').toUpperCase());
  if (Number.isNaN(time.getTime()) || !hasRealDay(written ?? '')) throw new WrongValue('datetime_from_date_parsing', 'Input should be a valid datetime');
  if (time <= new Date()) throw new WrongValue('datetime_future', 'Input should be in the future');
  return time;
};

const DEEPEST_OBJECT = 32;
const LARGEST_OBJECT = 64 * 1024;
/** What PostgreSQL stores in no text: NUL, and halves of surrogate pairs. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** Any JSON object that can be stored. */
export const anyObject: Reader<Record<string, unknown>> = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WrongValue('dict_type', 'Input should be a valid dictionary');
  }
  requireStorable(value);
  if (JSON.stringify(value).length > LARGEST_OBJECT) throw new WrongValue('value_error', 'Dictionary should have at most 64 KiB');
  return value as Record<string, unknown>;
};

/** Step by step, not by recursion: the nesting is a stranger's. */
function requireStorable(root: object): void {
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string' && UNSTORABLE.test(value)) throw new WrongValue('value_error', 'Dictionary should not contain NUL or broken characters');
    if (typeof value !== 'object' || value === null) continue;
    if (depth > DEEPEST_OBJECT) throw new WrongValue('value_error', 'Dictionary is nested too deeply');
    for (const [key, child] of Object.entries(value)) open.push({ value: key, depth }, { value: child, depth: depth + 1 });
  }
}
