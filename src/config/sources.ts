import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Flags } from './flags.js';
import { SETTING_VARIABLES } from './settings.js';
import { wrongValue, type Fault } from './settings-error.js';
import { likelyMeant } from './typos.js';
import type { SettingVariable } from './variable.js';

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a whole file as text, or throws. */
export type ReadFile = (path: string) => string;

/** The text of one variable, and where it came from. */
export interface Given {
  readonly text: string;
  /** For messages: the variable's name, with the flag or the file that gave it. */
  readonly source: string;
}

/** What is left of one variable after looking for it everywhere. */
interface Found {
  readonly given?: Given;
  readonly fault?: Fault;
}

/** Adds what a `.env` file says to an environment, whose own values win; an empty one is none. */
export function mergeEnvFile(text: string, env: Environment): Environment {
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return { ...env, ...parseEnv(text), ...Object.fromEntries(set) };
}

/** Finds a variable's text: a flag wins over the variable, which excludes the file. */
export function find(variable: SettingVariable, env: Environment, flags: Flags, readFile: ReadFile): Found {
  const { name } = variable;
  const flagged = flags.values.get(name);
  if (flagged !== undefined) return { given: { text: flagged.trim(), source: `--${variable.flag ?? ''} (${name})` } };

  // Space around a secret may belong to it; around anything else it is an editor's.
  const text = (variable.secret === true ? env[name] : env[name]?.trim()) ?? '';
  const path = variable.secret === true ? env[`${name}_FILE`] ?? '' : '';
  if (text !== '' && path !== '') {
    return { fault: wrongValue(name, `both ${name} and ${name}_FILE`, 'one of the two') };
  }
  if (path !== '') return findInFile(variable, path, readFile);
  return text === '' ? {} : { given: { text, source: name } };
}

function findInFile({ name }: SettingVariable, path: string, readFile: ReadFile): Found {
  const fault = (reason: string): Found =>
    ({ fault: wrongValue(`${name}_FILE`, `${shownPath(path)}, ${reason}`, 'a readable text file that holds the secret') });
  try {
    const text = readFile(path).replace(/\r?\n$/, '');
    return text.trim() === '' ? fault('an empty file') : { given: { text, source: `${name} (from ${name}_FILE)` } };
  } catch (error) {
    return fault(reasonOf(error));
  }
}

/** Somebody may have put the secret itself where its file's path belongs: show only what begins as a path does. */
function shownPath(path: string): string {
  return /^(\.{0,2}|~|[A-Za-z]:)[\\/]/.test(path) ? JSON.stringify(path) : '(hidden, as it does not begin with / or ./)';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'which does not exist',
  EACCES: 'which may not be read',
  EISDIR: 'a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'which is not UTF-8 text',
};

/** Never the error's own message, which repeats the path. */
function reasonOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? `which cannot be read${code === '' ? '' : ` (${code})`}`;
}

/** Refuses bytes that are no text: replaced by U+FFFD they would make a secret that can be guessed. */
export const readTextFile: ReadFile = (path) => new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));

/** The set variables that are not known but look like a known one misspelt. */
export function findTypos(env: Environment): Fault[] {
  const known = SETTING_VARIABLES.flatMap(({ name, secret }) => (secret === true ? [name, `${name}_FILE`] : [name]));
  return Object.keys(env)
    .filter((name) => (env[name] ?? '') !== '' && !known.includes(name))
    .flatMap((name) => {
      const meant = likelyMeant(name, known);
      return meant === undefined ? [] : [{ name, message: `${name} is not known; did you mean ${meant}?` }];
    });
}
