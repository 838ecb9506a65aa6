import { NIL as NIL_UUID, v7 as uuidv7 } from 'uuid';
import { isScope } from '../access/index.js';
import { keyOfHash } from '../api-keys/index.js';
import { type FieldFault, foldName, type Names, RecordFields } from './record-fields.js';
import { faultOfRepeated, unusedColumns } from './unused-columns.js';

const COLUMNS = {
  id: ['id'],
  name: ['name'],
  keyHash: ['key_hash', 'sha256', 'hash'],
  prefix: ['prefix'],
  owner: ['owner', 'user', 'user_email', 'email', 'username'],
  scopes: ['scopes', 'scope'],
  resourceType: ['resource_type'],
  resourceId: ['resource_id'],
  expiresAt: ['expires_at', 'expires'],
  retiresAt: ['retires_at'],
  revokedAt: ['revoked_at'],
  lastUsedAt: ['last_used_at', 'last_used'],
  createdAt: ['created_at'],
} as const satisfies Record<string, Names>;

const LONGEST = { name: 100, prefix: 32, owner: 320, hash: 100, scope: 128, resourceType: 64, resourceId: 128 };
const MOST_SCOPES = 100;

/** A key as it waits to be imported, by the columns of the staging table. */
export interface KeyRow {
  line: number;
  id: string;
  given_id: string | null;
  /** Whose key it is, as the file says it. */
  owner: string | null;
  user_id: string | null;
  name: string;
  prefix: string;
  /** In hexadecimal digits. */
  key_hash: string;
  scopes: string[];
  resource_type: string | null;
  resource_id: string | null;
  expires_at: Date | null;
  retires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
  created_at: Date;
}

/** What a file of keys may hold. */
export interface KeyRules {
  /** Keys of no account are the instance's own. */
  readonly allowInstanceKeys: boolean;
  readonly now: Date;
}

/** How the owner of a key is called, for what is wrong with it. */
export const OWNER = COLUMNS.owner[0];

/** What is wrong with the columns of a file of keys; `null` when nothing is. */
export function faultOfKeyColumns(names: readonly string[]): string | null {
  const folded = names.map(foldName);
  const missing = [COLUMNS.name, COLUMNS.keyHash, COLUMNS.scopes].find((any) => !any.some((name) => folded.includes(foldName(name))));
  return faultOfRepeated(names) ?? (missing === undefined ? null : `there is none of ${missing.join(', ')}`);
}

/** The columns of a file that nothing is made of. */
export function unusedKeyColumns(names: readonly string[]): string[] {
  return unusedColumns(COLUMNS, names);
}

/** Reads a key; what is wrong with it otherwise, field by field. */
export function readKey(line: number, values: ReadonlyMap<string, unknown>, rules: KeyRules): KeyRow | FieldFault[] {
  const fields = new RecordFields(values);
  const name = fields.text(COLUMNS.name, LONGEST.name) ?? missing(fields, COLUMNS.name);
  const known = readHash(fields);
  const scopes = readScopes(fields);
  const owner = fields.text(COLUMNS.owner, LONGEST.owner);
  if (owner === null && !rules.allowInstanceKeys) fields.refuse(COLUMNS.owner, 'is missing: a key of no account is one of the instance itself, which takes --allow-instance-keys');
  const id = fields.uuid(COLUMNS.id);
  if (id === NIL_UUID) fields.refuse(COLUMNS.id, 'must not be the nil UUID');
  const resourceType = fields.text(COLUMNS.resourceType, LONGEST.resourceType);
  const resourceId = fields.text(COLUMNS.resourceId, LONGEST.resourceId);
  if ((resourceType === null) !== (resourceId === null)) fields.refuse(resourceType === null ? COLUMNS.resourceType : COLUMNS.resourceId, 'is missing: a key is bound to a type and an id, or to nothing');
  const prefix = fields.text(COLUMNS.prefix, LONGEST.prefix) ?? known?.prefix;
  const times = {
    expires_at: fields.time(COLUMNS.expiresAt),
    retires_at: fields.time(COLUMNS.retiresAt),
    revoked_at: fields.time(COLUMNS.revokedAt),
    last_used_at: fields.time(COLUMNS.lastUsedAt),
    created_at: fields.time(COLUMNS.createdAt) ?? rules.now,
  };
  if (fields.faults.length > 0 || name === null || known === null || scopes === null || prefix === undefined) return fields.faults;
  return {
    line,
    id: id ?? uuidv7(),
    given_id: id,
    owner,
    user_id: null,
    name,
    prefix,
    key_hash: known.keyHash.toString('hex'),
    scopes,
    resource_type: resourceType,
    resource_id: resourceId,
    ...times,
  };
}

function readHash(fields: RecordFields): ReturnType<typeof keyOfHash> {
  const text = fields.text(COLUMNS.keyHash, LONGEST.hash);
  if (text === null) return missing(fields, COLUMNS.keyHash);
  return keyOfHash(text) ?? fields.refuse(COLUMNS.keyHash, 'must be a SHA-256: 64 hexadecimal digits, or 43 characters of base64');
}

/** A list, as JSON has it; or a text with commas or spaces between, or braces around, as PostgreSQL writes a list. */
function readScopes(fields: RecordFields): string[] | null {
  const value = fields.raw(COLUMNS.scopes);
  if (value === null) return missing(fields, COLUMNS.scopes);
  const listed: unknown = typeof value === 'string' ? value.replace(/^\{(.*)\}$/s, '$1').split(/[\s,]+/).filter((scope) => scope !== '') : value;
  if (!Array.isArray(listed)) return fields.refuse(COLUMNS.scopes, 'must be a list of scopes');
  if (listed.length === 0 || listed.length > MOST_SCOPES) return fields.refuse(COLUMNS.scopes, `must be 1 to ${String(MOST_SCOPES)} scopes`);
  const scopes = listed.filter((scope): scope is string => typeof scope === 'string' && scope.length <= LONGEST.scope && isScope(scope));
  if (scopes.length < listed.length) return fields.refuse(COLUMNS.scopes, 'must be scopes of the form resource:action, resource:* or *');
  return [...new Set(scopes)];
}

function missing(fields: RecordFields, names: Names): null {
  return fields.refuse(names, 'is missing');
}
