import type { EntityManager } from 'typeorm';
import { validate as isUuid } from 'uuid';
import { type Role, roleAllows } from '../access/index.js';
import { foldIdentifier } from '../users/index.js';
import type { Refusal } from './import-report.js';
import { type KeyRow, type KeyRules, OWNER, readKey } from './key-rows.js';
import type { Staging } from './staged-import.js';

/** Holds nobody: a file may come in as slowly as it likes. */
const FIND_OWNERS = `
  SELECT id, email_folded, username_folded, role FROM users
   WHERE id = ANY($1::uuid[]) OR email_folded = ANY($2::text[]) OR username_folded = ANY($3::text[])`;

const NO_ACCOUNT = 'names no account: import the users first';

/** Once all is read, whoever owns a key stays until it is written; in one order, so that nobody waits in a circle. */
const KEEP_OWNERS = `
  SELECT count(*) FROM (SELECT FROM users WHERE id IN (SELECT user_id FROM incoming WHERE state = 'new') ORDER BY id FOR KEY SHARE) AS kept`;

interface OwnerRow {
  id: string;
  email_folded: string | null;
  username_folded: string | null;
  role: Role;
}

/** How keys are imported. A key is there already when its owner has one with the same hash, as it may be by now. */
export function keyStaging(rules: KeyRules): Staging<KeyRow> {
  return {
    columns: {
      id: 'uuid NOT NULL',
      given_id: 'uuid',
      owner: 'text',
      user_id: 'uuid',
      name: 'text NOT NULL',
      prefix: 'text NOT NULL',
      key_hash: 'text NOT NULL',
      scopes: 'text[] NOT NULL',
      resource_type: 'text',
      resource_id: 'text',
      expires_at: 'timestamptz',
      retires_at: 'timestamptz',
      revoked_at: 'timestamptz',
      last_used_at: 'timestamptz',
      created_at: 'timestamptz NOT NULL',
    },
    indexed: ['id', 'key_hash'],
    read: (line, values) => readKey(line, values, rules),
    resolve: withOwners,
    checks: [
      KEEP_OWNERS,
      `UPDATE incoming SET state = 'refused', field = '${OWNER}', reason = '${NO_ACCOUNT}'
        WHERE state = 'new' AND user_id IS NOT NULL AND NOT EXISTS (SELECT FROM users WHERE users.id = incoming.user_id)`,
      `UPDATE incoming SET state = 'refused', field = 'key_hash', reason = 'is the same as in line ' || first.line
         FROM (SELECT key_hash, min(line) AS line FROM incoming GROUP BY key_hash HAVING count(*) > 1) first
        WHERE incoming.state = 'new' AND incoming.key_hash = first.key_hash AND incoming.line > first.line`,
      `UPDATE incoming SET state = 'refused', field = 'id', reason = 'is the same as in line ' || first.line
         FROM (SELECT given_id, min(line) AS line FROM incoming WHERE given_id IS NOT NULL GROUP BY given_id HAVING count(*) > 1) first
        WHERE incoming.state = 'new' AND incoming.given_id = first.given_id AND incoming.line > first.line`,
      `UPDATE incoming SET state = 'unchanged' FROM api_keys
        WHERE incoming.state = 'new' AND api_keys.key_hash = decode(incoming.key_hash, 'hex') AND api_keys.user_id IS NOT DISTINCT FROM incoming.user_id`,
      `UPDATE incoming SET state = 'refused', field = 'key_hash', reason = 'is the hash of a key that is there already, and not of this owner' FROM api_keys
        WHERE incoming.state = 'new' AND api_keys.key_hash = decode(incoming.key_hash, 'hex')`,
      `UPDATE incoming SET state = 'refused', field = 'id', reason = 'is the id of another key'
         FROM api_keys WHERE incoming.state = 'new' AND api_keys.id = incoming.given_id`,
    ],
    write: `
      WITH made AS (
        INSERT INTO api_keys (id, user_id, name, prefix, key_hash, scopes, resource_type, resource_id, expires_at, retires_at, revoked_at, last_used_at, created_at)
        SELECT id, user_id, name, prefix, decode(key_hash, 'hex'), scopes, resource_type, resource_id, expires_at, retires_at, revoked_at, last_used_at, created_at
          FROM incoming WHERE state = 'new' AND line > $1 AND line <= $2 ORDER BY line
        ON CONFLICT DO NOTHING RETURNING id
      )
      UPDATE incoming SET state = 'imported' FROM made WHERE incoming.id = made.id AND incoming.state = 'new'`,
  };
}

/** Finds the owners of keys, and refuses keys that have none, or reach further than theirs may. */
async function withOwners(manager: EntityManager, rows: KeyRow[]): Promise<(KeyRow | Refusal)[]> {
  const named = [...new Set(rows.flatMap(({ owner }) => owner ?? []))];
  const [ids, names] = [named.filter((name) => isUuid(name)), named.map(foldIdentifier)];
  const found = await manager.query<OwnerRow[]>(FIND_OWNERS, [
    ids, names.filter((name) => name.includes('@')), names.filter((name) => !name.includes('@')),
  ]);
  // The ids last, so that they win: a username may look like somebody else's id.
  const owners = new Map([
    ...found.flatMap((owner) => [owner.email_folded, owner.username_folded].map((name) => [name, owner] as const)),
    ...found.map((owner) => [owner.id, owner] as const),
  ]);
  return rows.map((row) => {
    if (row.owner === null) return row;
    const owner = owners.get(foldIdentifier(row.owner));
    if (owner === undefined) return { line: row.line, field: OWNER, reason: NO_ACCOUNT };
    const beyond = row.scopes.filter((scope) => !roleAllows(owner.role, scope));
    if (beyond.length > 0) return { line: row.line, field: 'scopes', reason: `are more than its owner may do: ${beyond.join(', ')}` };
    return { ...row, user_id: owner.id };
  });
}
