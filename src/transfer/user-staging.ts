import type { DataSource } from 'typeorm';
import { takeInBulk } from './search-indexes.js';
import type { Staging } from './staged-import.js';
import { readUser, type UserRow, type UserRules } from './user-rows.js';

/** The line that has something first, beside the others that have it too. */
function refuseRepeated(column: keyof UserRow, field: string): string {
  return `
    UPDATE incoming SET state = 'refused', field = '${field}', reason = 'is the same as in line ' || first.line
      FROM (SELECT ${column}, min(line) AS line FROM incoming WHERE ${column} IS NOT NULL GROUP BY ${column} HAVING count(*) > 1) first
     WHERE incoming.state = 'new' AND incoming.${column} = first.${column} AND incoming.line > first.line`;
}

function refuseTaken(column: keyof UserRow, ofUsers: string, field: string, reason: string): string {
  return `
    UPDATE incoming SET state = 'refused', field = '${field}', reason = '${reason}'
      FROM users WHERE incoming.state = 'new' AND users.${ofUsers} = incoming.${column}`;
}

/**
 * How accounts are imported. An account is there already when an import made it from the same address or name, or when it
 * has the same id and one of the same identifiers. Any other account in the way is a conflict: with an address that
 * somebody else registered first, nobody must come into what the file has.
 */
export function userStaging(dataSource: DataSource, rules: UserRules): Staging<UserRow> {
  return {
    columns: {
      id: 'uuid NOT NULL',
      given_id: 'uuid',
      identifier: 'text NOT NULL',
      email: 'text',
      email_folded: 'text',
      username: 'text',
      username_folded: 'text',
      name: 'text',
      picture_url: 'text',
      role: 'text NOT NULL',
      password_hash: 'text',
      password_changed_at: 'timestamptz',
      disabled_at: 'timestamptz',
      last_login_at: 'timestamptz',
      created_at: 'timestamptz NOT NULL',
      updated_at: 'timestamptz NOT NULL',
    },
    indexed: ['id', 'identifier', 'email_folded', 'username_folded'],
    read: (line, values) => readUser(line, values, rules),
    prepareForMany: () => takeInBulk(dataSource),
    checks: [
      refuseRepeated('given_id', 'id'),
      refuseRepeated('email_folded', 'email'),
      refuseRepeated('username_folded', 'username'),
      `UPDATE incoming SET state = 'unchanged' FROM imported_accounts
        WHERE incoming.state = 'new' AND imported_accounts.identifier = incoming.identifier
          AND (incoming.given_id IS NULL OR incoming.given_id = imported_accounts.user_id)`,
      `UPDATE incoming SET state = 'unchanged' FROM users
        WHERE incoming.state = 'new' AND users.id = incoming.given_id
          AND (users.email_folded = incoming.email_folded OR users.username_folded = incoming.username_folded)`,
      refuseTaken('given_id', 'id', 'id', 'is the id of another account'),
      refuseTaken('email_folded', 'email_folded', 'email', 'belongs to an account that is there already'),
      refuseTaken('username_folded', 'username_folded', 'username', 'belongs to an account that is there already'),
      `UPDATE incoming SET state = 'refused', field = 'id', reason = 'is not the id with which this account was imported before'
         FROM imported_accounts WHERE incoming.state = 'new' AND imported_accounts.identifier = incoming.identifier`,
    ],
    write: `
      WITH made AS (
        INSERT INTO users (id, email, email_folded, username, username_folded, name, picture_url, role, password_hash,
                           password_changed_at, disabled_at, last_login_at, created_at, updated_at)
        SELECT id, email, email_folded, username, username_folded, name, picture_url, role, password_hash,
               password_changed_at, disabled_at, last_login_at, created_at, updated_at
          FROM incoming WHERE state = 'new' AND line > $1 AND line <= $2 ORDER BY line
        ON CONFLICT DO NOTHING RETURNING id
      ), noted AS (
        INSERT INTO imported_accounts (identifier, user_id)
        SELECT incoming.identifier, made.id FROM made JOIN incoming ON incoming.id = made.id AND incoming.state = 'new'
      )
      UPDATE incoming SET state = 'imported' FROM made WHERE incoming.id = made.id AND incoming.state = 'new'`,
  };
}
