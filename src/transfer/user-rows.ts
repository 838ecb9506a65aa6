import { NIL as NIL_UUID, v7 as uuidv7 } from 'uuid';
import type { Role } from '../access/index.js';
import { findHashFault, foldIdentifier, isEmailAddress, isUsername } from '../users/index.js';
import { type FieldFault, foldName, RecordFields } from './record-fields.js';
import { faultOfRepeated, unusedColumns } from './unused-columns.js';
import type { UserSource } from './user-sources.js';

const LONGEST = { email: 254, username: 64, name: 200, pictureUrl: 2_000, role: 32, passwordHash: 512 };
const PICTURE_URL = /^(https?:\/\/|\/)\S*$/i;

/** An account as it waits to be imported, by the columns of the staging table. */
export interface UserRow {
  line: number;
  id: string;
  /** The id that the file has for it, if that is one that can stay. */
  given_id: string | null;
  /** What the account is known by to a second import: the address, else the name, that the file has for it. */
  identifier: string;
  email: string | null;
  email_folded: string | null;
  username: string | null;
  username_folded: string | null;
  name: string | null;
  picture_url: string | null;
  role: Role;
  password_hash: string | null;
  password_changed_at: Date | null;
  disabled_at: Date | null;
  last_login_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** What a file of accounts may hold, and what it does not say. */
export interface UserRules {
  readonly source: UserSource;
  /** What those are whose role the file does not say. */
  readonly defaultRole: Role;
  readonly allowOwners: boolean;
  /** The time of the import. */
  readonly now: Date;
}

/** What is wrong with the columns of a file of accounts; `null` when nothing is. */
export function faultOfUserColumns({ columns }: UserSource, names: readonly string[]): string | null {
  const repeated = faultOfRepeated(names);
  if (repeated !== null) return repeated;
  const folded = names.map(foldName);
  const identifiers = [...columns.email, ...columns.username];
  if (!identifiers.some((name) => folded.includes(foldName(name)))) return `there is none of ${identifiers.join(', ')}`;
  if (!columns.passwordHash.some((name) => folded.includes(foldName(name)))) return `there is none of ${columns.passwordHash.join(', ')} (leave it empty for accounts without a password)`;
  return null;
}

/** The columns of a file that nothing is made of. */
export function unusedUserColumns({ columns }: UserSource, names: readonly string[]): string[] {
  return unusedColumns(columns, names);
}

/** Reads an account; what is wrong with it otherwise, field by field. */
export function readUser(line: number, values: ReadonlyMap<string, unknown>, rules: UserRules): UserRow | FieldFault[] {
  const { columns } = rules.source;
  const fields = new RecordFields(values);
  const email = fields.ruled(columns.email, LONGEST.email, isEmailAddress, 'must be an email address');
  const username = fields.ruled(columns.username, LONGEST.username, isUsername, 'must be letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit');
  const identifier = email ?? username;
  if (identifier === null && fields.faults.length === 0) {
    fields.refuse([...columns.email, ...columns.username].slice(0, 1), `is missing${columns.email.length > 0 && columns.username.length > 0 ? ', and so is a username' : ''}`);
  }
  const id = readId(fields, rules);
  const role = readRole(fields, rules);
  const passwordHash = readPasswordHash(fields, rules);
  const name = fields.text(columns.name, LONGEST.name);
  const pictureUrl = fields.ruled(columns.pictureUrl, LONGEST.pictureUrl, (text) => PICTURE_URL.test(text), 'must be a URL that begins with http://, https:// or /');
  const createdAt = fields.time(columns.createdAt) ?? rules.now;
  const updatedAt = fields.time(columns.updatedAt) ?? rules.now;
  const disabledAt = readDisabledAt(fields, rules, updatedAt);
  const passwordChangedAt = fields.time(columns.passwordChangedAt);
  const lastLoginAt = fields.time(columns.lastLoginAt);
  if (fields.faults.length > 0 || identifier === null || role === null) return fields.faults;
  return {
    line,
    id: id ?? uuidv7(),
    given_id: id,
    identifier: foldIdentifier(identifier),
    email,
    email_folded: email === null ? null : foldIdentifier(email),
    username,
    username_folded: username === null ? null : foldIdentifier(username),
    name,
    picture_url: pictureUrl,
    role,
    password_hash: passwordHash,
    password_changed_at: passwordChangedAt,
    disabled_at: disabledAt,
    last_login_at: lastLoginAt,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

/** Products refer to their people by id: one that can stay does. */
function readId(fields: RecordFields, { source: { columns } }: UserRules): string | null {
  const id = fields.uuid(columns.id);
  // The one that stands for nobody.
  return id === NIL_UUID ? fields.refuse(columns.id, 'must not be the nil UUID') : id;
}

function readRole(fields: RecordFields, { source: { columns, roles }, defaultRole, allowOwners }: UserRules): Role | null {
  const said = fields.text(columns.role, LONGEST.role);
  const role = said === null ? defaultRole : Object.hasOwn(roles, said.toLowerCase()) ? roles[said.toLowerCase()] : undefined;
  if (role === undefined) return fields.refuse(columns.role, `must be one of ${Object.keys(roles).join(', ')}`);
  if (role === 'owner' && !allowOwners) {
    return fields.refuse(columns.role.length > 0 ? columns.role : ['role'], 'would make an owner, which takes --allow-owners');
  }
  return role;
}

function readPasswordHash(fields: RecordFields, { source: { columns } }: UserRules): string | null {
  if (!fields.has(columns.passwordHash)) return fields.refuse(columns.passwordHash, 'is missing (null, for an account without a password)');
  const hash = fields.text(columns.passwordHash, LONGEST.passwordHash);
  const fault = hash === null ? null : findHashFault(hash);
  return fault === null ? hash : fields.refuse(columns.passwordHash, fault);
}

function readDisabledAt(fields: RecordFields, { source: { columns } }: UserRules, since: Date): Date | null {
  const disabledAt = fields.time(columns.disabledAt);
  const active = fields.flag(columns.active);
  const disabled = fields.flag(columns.disabled);
  return disabledAt ?? (active === false || disabled === true ? since : null);
}
