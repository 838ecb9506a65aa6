import { type ApiKeyPrincipal, roleAllows, scopesCover } from '../access/index.js';

/** The scope of a key that may connect. */
export const CONNECT_SCOPE = 'agents:connect';

/** Whether a key may connect: its scopes say so, and its user's role. */
export function mayConnect({ scopes, role }: ApiKeyPrincipal): boolean {
  return scopesCover(scopes, CONNECT_SCOPE) && (role === null || roleAllows(role, CONNECT_SCOPE));
}
