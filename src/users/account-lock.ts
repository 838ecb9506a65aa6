import type { UserPatch } from './users.service.js';

/** How an account's row is locked until the commit. Either way, of two that lock it, one waits for the other. */
export type AccountLock = 'FOR UPDATE' | 'FOR NO KEY UPDATE';

/**
 * The lock that a change of an account takes. Rows that refer to the account, of which an import may be adding very many,
 * hold what can be referred to: the id, and all else that is unique. A change of anything else does not wait for them. One
 * that does has the whole lock from the start: to ask for it half-way would be to wait in a circle.
 */
export function lockFor({ email, username }: UserPatch): AccountLock {
  return email === undefined && username === undefined ? 'FOR NO KEY UPDATE' : 'FOR UPDATE';
}
