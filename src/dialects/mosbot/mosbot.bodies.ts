import type { Role } from '../../access/index.js';
import { AuthError } from '../../errors/index.js';
import { isEmailAddress } from '../../users/index.js';
import { fieldsOf } from '../dialect.js';
import { WIRE_ROLES } from './mosbot.dto.js';

const LONGEST_NAME = 200;
const LONGEST_URL = 2_000;
const LONGEST_SEARCH = 320;
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;
const PICTURE_URL = /^(https?:\/\/|\/)\S*$/i;
const CORE_ROLES = new Map<unknown, Role>([['owner', 'owner'], ['admin', 'admin'], ['user', 'member']]);

/** What people say of themselves, and administrators of them. */
interface Profile {
  name: string;
  email: string;
  pictureUrl: string | null;
}

/** What an administrator says of an account; in a change, what is absent stays. */
interface Account extends Profile {
  password: string;
  role: Role;
  disabled: boolean;
}

export function readLogin(body: unknown): { email: string; password: string } {
  const { email, password } = fieldsOf(body);
  if (isMissing(email) || isMissing(password)) throw refusal('Email and password are required');
  if (typeof email !== 'string') throw refusal('Email must be a string');
  return { email, password: readPassword(password) };
}

export function readRegistration(body: unknown): Profile & { password: string } {
  const { password } = fieldsOf(body);
  // No password at all is a short one.
  return { ...readProfile(body), password: readPassword(password ?? '') };
}

export function readNewAccount(body: unknown): Profile & Partial<Account> {
  return { ...readProfile(body), ...readAccess(body) };
}

export function readAccountChange(body: unknown): Partial<Account> {
  const { name, email, avatar_url: picture } = fieldsOf(body);
  return {
    ...(name === undefined ? {} : { name: readName(name) }),
    ...(email === undefined ? {} : { email: readEmail(email) }),
    ...(picture === undefined ? {} : { pictureUrl: readPictureUrl(picture) }),
    ...readAccess(body),
  };
}

/** What part of a list is asked for; more than there may be at once is as many as there may be. */
export interface Range {
  search: string | undefined;
  offset: number;
  limit: number;
}

export function readRange(query: unknown, most: number, fallback: number): Range {
  const { search, offset, limit } = fieldsOf(query);
  return {
    search: readSearch(search),
    offset: readCount(offset, 'offset', 0) ?? 0,
    limit: Math.min(readCount(limit, 'limit', 1) ?? fallback, most),
  };
}

function readProfile(body: unknown): Profile {
  const { name, email, avatar_url: picture } = fieldsOf(body);
  return { name: readName(name), email: readEmail(email), pictureUrl: readPictureUrl(picture ?? null) };
}

function readAccess(body: unknown): Partial<Pick<Account, 'password' | 'role' | 'disabled'>> {
  const { password, role, active } = fieldsOf(body);
  return {
    ...(password == null ? {} : { password: readPassword(password) }),
    ...(role === undefined ? {} : { role: readRole(role) }),
    ...(active === undefined ? {} : { disabled: !readActive(active) }),
  };
}

function readName(value: unknown): string {
  if (isMissing(value)) throw refusal('Name is required');
  if (typeof value !== 'string') throw refusal('Name must be a string');
  const name = value.trim();
  if (name === '') throw refusal('Name is required');
  if (name.length > LONGEST_NAME) throw refusal(`Name must be at most ${String(LONGEST_NAME)} characters`);
  if (CONTROL_CHARACTER.test(name)) throw refusal('Name must not contain control characters');
  return name;
}

function readEmail(value: unknown): string {
  if (!isEmailAddress(value) || CONTROL_CHARACTER.test(value)) throw refusal('Valid email is required');
  return value;
}

function readPassword(value: unknown): string {
  if (typeof value !== 'string') throw refusal('Password must be a string');
  return value;
}

/** A form with an empty field means: none. Other schemes than the web's would run in the dashboard. */
function readPictureUrl(value: unknown): string | null {
  if (value === null || value === '') return null;
  if (typeof value !== 'string' || value.length > LONGEST_URL || CONTROL_CHARACTER.test(value) || !PICTURE_URL.test(value)) {
    throw refusal(`avatar_url must be an http or https URL of at most ${String(LONGEST_URL)} characters`);
  }
  return value;
}

function readRole(value: unknown): Role {
  const role = CORE_ROLES.get(value);
  if (role === undefined) throw refusal(`Role must be one of ${WIRE_ROLES.join(', ')}`);
  return role;
}

function readActive(value: unknown): boolean {
  if (typeof value !== 'boolean') throw refusal('active must be true or false');
  return value;
}

function readSearch(value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || value.length > LONGEST_SEARCH || CONTROL_CHARACTER.test(value)) {
    throw refusal(`search must be a text of at most ${String(LONGEST_SEARCH)} characters`);
  }
  return value;
}

function readCount(value: unknown, field: string, least: number): number | undefined {
  if (value === undefined || value === '') return undefined;
  const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (!(count >= least)) throw refusal(`${field} must be a whole number, ${String(least)} or more`);
  return count;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function refusal(detail: string): AuthError {
  return new AuthError('validation_failed', { detail });
}
