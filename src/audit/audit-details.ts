import type { ResourceBinding, Role } from '../access/index.js';
import type { AuditAction } from './audit-actions.js';

/** Which fields were changed, by name; never their values. */
interface ChangedFields {
  fields: readonly string[];
}

/** What a user's account has become. */
interface ChangedAccount extends ChangedFields {
  role: Role;
}

interface SessionsEnded {
  ended: number;
}

/** What came of a file, in numbers of lines. */
interface Imported {
  imported: number;
  unchanged: number;
  refused: number;
}

/**
 * What each action says beyond who did it to whom: the one list of it. Actions that are not here say nothing more. Never
 * a secret, never something that was typed into a login form.
 */
interface Details {
  'login.succeeded': { sessionId: string; dialect: string | null };
  'login.failed': { reason: string };
  'account.locked': { reason: string };
  'user.created': { role: Role };
  'user.updated': ChangedFields | ChangedAccount;
  'users.imported': Imported & { source: string };
  'sessions.ended': SessionsEnded;
  'refresh.reused': { sessionId: string };
  'api_key.created': { scopes: readonly string[] };
  'api_key.imported': { scopes: readonly string[] };
  'api_key.updated': ChangedFields;
  'api_key.rotated': { successor: string; overlapSeconds: number };
  'api_key.deleted': { resource: ResourceBinding } | null;
  'owner.recovered': { enabled: boolean; ended: number };
  'api_keys.imported': Imported;
}

/** The detail of an action's events. */
export type AuditDetail<A extends AuditAction = AuditAction> = A extends keyof Details ? Details[A] : null;
