export { isScope } from '../config/index.js';

/** Roles limit people. `owner` may do everything, `admin` everything but touch owners. */
export const ROLES = ['owner', 'admin', 'member'] as const;

export type Role = (typeof ROLES)[number];

/** What Gatehouse administers of itself; everything else is the product's, and open to members. */
const ADMINISTRATION = new Set(['users', 'audit', 'metrics', 'settings']);

/** Whether one granted scope covers another one. */
function covers(granted: string, wanted: string): boolean {
  if (granted === '*' || granted === wanted) return true;
  return granted.endsWith(':*') && wanted.startsWith(granted.slice(0, -1));
}

/** Whether the granted scopes together cover a wanted one, which may itself be `resource:*` or `*`. */
export function scopesCover(granted: readonly string[], wanted: string): boolean {
  return granted.some((scope) => covers(scope, wanted));
}

/** Whether a person of this role may do what a scope names. */
export function roleAllows(role: Role, scope: string): boolean {
  if (role !== 'member') return true;
  const end = scope.indexOf(':');
  return scope !== '*' && !ADMINISTRATION.has(end === -1 ? scope : scope.slice(0, end));
}

/** Whether a role includes another: an owner passes where an admin is asked for, never the reverse. */
export function roleIncludes(role: Role, wanted: Role): boolean {
  return ROLES.indexOf(role) <= ROLES.indexOf(wanted);
}
