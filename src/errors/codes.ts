/**
 * Every way in which Gatehouse refuses, as a closed list. Clients branch on these, so a code never changes
 * its meaning; each wire (the native API, each dialect) maps all of them in a `Record<AuthErrorCode, …>`,
 * which makes a new code a compile error until every wire answers it.
 */
export const AUTH_ERROR_CODES = [
  'validation_failed',
  'invalid_current_password',
  'malformed_body',
  'unsupported_media_type',
  'payload_too_large',
  'missing_credential',
  'invalid_token',
  'invalid_api_key',
  'invalid_credentials',
  'invalid_grant',
  'insufficient_scope',
  'insufficient_role',
  'account_disabled',
  'registration_closed',
  'setup_completed',
  'local_only',
  'not_found',
  'email_taken',
  'username_taken',
  'last_owner',
  'account_locked',
  'too_many_requests',
  'overloaded',
  'unavailable',
  'internal',
] as const;

export type AuthErrorCode = (typeof AUTH_ERROR_CODES)[number];
