import { AuthError } from '../../errors/index.js';
import { isEmailAddress } from '../../users/index.js';
import { fieldsOf } from '../dialect.js';
import { MIN_LENGTH } from './asyncat.policy.js';

const LONGEST_NAME = 200;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** What the owner of the account changes of it. */
export interface AccountChange {
  name?: string | null;
  email?: string;
  password?: string;
}

/** @throws AuthError `validation_failed` unless both are there */
export function readLogin(body: unknown): { email: string; password: string } {
  const { email, password } = fieldsOf(body);
  if (isText(email) && isText(password)) return { email, password };
  throw invalid('Email and password are required');
}

/** @throws AuthError `validation_failed` */
export function readAccountChange(body: unknown): AccountChange {
  const { name, email, password } = fieldsOf(body);
  const change: AccountChange = {};
  if (name != null) change.name = readName(name);
  if (email != null) change.email = readEmail(email);
  if (password != null) change.password = readPassword(password);
  if (Object.keys(change).length === 0) throw invalid('No account fields provided.');
  return change;
}

/** @throws AuthError `validation_failed` */
export function readNewPassword(body: unknown): string {
  return readPassword(fieldsOf(body)['password']);
}

/** Nothing but white space takes the name away. */
function readName(value: unknown): string | null {
  if (typeof value !== 'string') throw invalid('Name must be a string.');
  const name = value.trim();
  if ([...name].length > LONGEST_NAME) throw invalid(`Name must be at most ${String(LONGEST_NAME)} characters.`);
  if (CONTROL.test(name)) throw invalid('Name must not contain control characters.');
  return name === '' ? null : name;
}

function readEmail(value: unknown): string {
  if (!isEmailAddress(value) || CONTROL.test(value)) throw invalid('Enter a valid email address.');
  return value;
}

/** What is no text at all is as good as none; how good a text is as a password, the core says. */
function readPassword(value: unknown): string {
  if (typeof value === 'string') return value;
  throw invalid(`Password must be at least ${String(MIN_LENGTH)} characters`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function invalid(detail: string): AuthError {
  return new AuthError('validation_failed', { detail });
}
