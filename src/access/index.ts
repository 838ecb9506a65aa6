export { type Access, accessOn, mergeAccess } from './access.js';
export { ApiKeyOnly, CurrentPrincipal, Public, RequireScopes, Roles, WithAccount } from './decorators.js';
export type { ApiKeyPrincipal, Principal, ResourceBinding, UserPrincipal } from './principal.js';
export { documentAccess, type DocumentedWire, SECURITY_SCHEMES } from './openapi.js';
export { isScope, type Role, roleAllows, roleIncludes, ROLES, scopesCover } from './scopes.js';
