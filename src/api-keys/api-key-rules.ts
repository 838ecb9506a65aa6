import type { EntityManager } from 'typeorm';
import { type Principal, type ResourceBinding, roleAllows, roleIncludes, scopesCover } from '../access/index.js';
import { AuthError } from '../errors/index.js';
import { User } from '../users/index.js';
import type { ApiKey } from './api-key.entity.js';

/** Whether a principal may see other people's keys: an administrator, or a key of one or of the instance that reaches so far. */
export function isAdministrator(principal: Principal): boolean {
  if (principal.role !== null && !roleIncludes(principal.role, 'admin')) return false;
  return principal.type === 'user' || scopesCover(principal.scopes, 'users:write');
}

/**
 * Makes sure that an administrator reaches as far as somebody else's keys. A key that may not do everything reaches those
 * of members alone, as it does with accounts: with the successor of an administrator's key it would act in their name.
 * @param userId whose keys; `null`: nobody's in particular, or the instance's own
 * @throws AuthError `insufficient_scope`
 */
export async function requireReach(manager: EntityManager, principal: Principal, userId: string | null): Promise<void> {
  if (principal.type === 'user' || scopesCover(principal.scopes, '*')) return;
  if (userId !== null && (await manager.existsBy(User, { id: userId, role: 'member' }))) return;
  throw new AuthError('insufficient_scope', {
    requiredScopes: ['*'],
    detail: 'A key with fewer scopes than * reaches the keys of its own user and of members alone.',
  });
}

/**
 * Makes sure that a key would reach no further than its maker, and says what it is to be bound to.
 * @throws AuthError `insufficient_scope` that names the scopes that are too much
 */
export function requireGrant(
  principal: Principal,
  scopes: readonly string[],
  resource: ResourceBinding | null,
): ResourceBinding | null {
  const beyond = scopes.filter((scope) => !mayGrant(principal, scope));
  if (beyond.length > 0) {
    throw new AuthError('insufficient_scope', {
      requiredScopes: beyond,
      detail: `These scopes are more than you have: ${beyond.join(', ')}.`,
    });
  }
  if (principal.type === 'user' || principal.resource === null) return resource;
  if (resource === null || isSame(resource, principal.resource)) return principal.resource;
  throw new AuthError('insufficient_scope', { detail: 'The key in use is bound to another resource.' });
}

function mayGrant(principal: Principal, scope: string): boolean {
  if (principal.role !== null && !roleAllows(principal.role, scope)) return false;
  return principal.type === 'user' || scopesCover(principal.scopes, scope);
}

function isSame(a: ResourceBinding, b: ResourceBinding): boolean {
  return a.type === b.type && a.id === b.id;
}

/**
 * Makes sure that a principal may change a key that it can see. Only owners touch owners' keys and the instance's own.
 * A key may end any key that it can see, but must not get hold of one that reaches further than itself.
 * @param purpose `keep`: the key, or its successor, stays in use; `end`: it is revoked
 * @throws AuthError `insufficient_role`, `insufficient_scope`
 */
export async function requireControl(
  manager: EntityManager,
  principal: Principal,
  apiKey: ApiKey,
  purpose: 'keep' | 'end',
): Promise<void> {
  if (apiKey.userId !== principal.userId && principal.role !== 'owner') {
    const ofOwner = apiKey.userId === null || (await manager.existsBy(User, { id: apiKey.userId, role: 'owner' }));
    if (ofOwner) throw new AuthError('insufficient_role', { detail: 'Only an owner may change this key.' });
  }
  if (principal.type === 'user' || purpose === 'end') return;
  const beyond = apiKey.scopes.filter((scope) => !scopesCover(principal.scopes, scope));
  const { resource } = principal;
  const elsewhere = resource !== null && (apiKey.resourceType !== resource.type || apiKey.resourceId !== resource.id);
  if (beyond.length > 0 || elsewhere) {
    throw new AuthError('insufficient_scope', {
      requiredScopes: beyond,
      detail: 'That key reaches further than the one in use.',
    });
  }
}
