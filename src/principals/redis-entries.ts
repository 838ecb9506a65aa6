import { type ApiKeyPrincipal, type Principal, type ResourceBinding, type Role, ROLES, type UserPrincipal } from '../access/index.js';

/**
 * What is kept of a principal: what is not known already to whoever asks for it. What cannot be read back as exactly
 * that counts as not there.
 */
export function writeEntry(principal: Principal): string {
  if (principal.type === 'user') return principal.role;
  const { apiKeyId, role, scopes, resource } = principal;
  return JSON.stringify({ apiKeyId, role, scopes, resource });
}

/** The user behind a session, as kept for this session of this user. */
export function readSession(text: string, userId: string, sessionId: string): UserPrincipal | null {
  return isRole(text) ? { type: 'user', userId, sessionId, role: text } : null;
}

/** The principal behind an API key, as kept for a key of this user, or of the instance itself (`null`). */
export function readApiKey(text: string, userId: string | null): ApiKeyPrincipal | null {
  const { apiKeyId, role, scopes, resource } = parse(text);
  if (typeof apiKeyId !== 'string' || !isListOfText(scopes) || !(resource === null || isBinding(resource))) return null;
  if (userId === null) return role === null ? { type: 'api-key', apiKeyId, userId, role, scopes, resource } : null;
  return isRole(role) ? { type: 'api-key', apiKeyId, userId, role, scopes, resource } : null;
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isRole(value: unknown): value is Role {
  return (ROLES as readonly unknown[]).includes(value);
}

function isListOfText(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isBinding(value: unknown): value is ResourceBinding {
  const { type, id } = (value ?? {}) as Record<string, unknown>;
  return typeof type === 'string' && typeof id === 'string';
}
