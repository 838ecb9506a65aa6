import type { AuthError, AuthErrorCode } from '../errors/index.js';
import { CommandError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';

/** What the core refuses, in words for whoever typed the command. */
const REFUSALS: Record<AuthErrorCode, readonly [exitCode: ExitCode, sentence: string]> = {
  validation_failed: [EXIT.usage, 'That cannot be used.'],
  invalid_current_password: [EXIT.failure, 'The current password is wrong.'],
  malformed_body: [EXIT.usage, 'That could not be read.'],
  unsupported_media_type: [EXIT.usage, 'That could not be read.'],
  payload_too_large: [EXIT.usage, 'That is too large.'],
  missing_credential: [EXIT.failure, 'A credential is missing.'],
  invalid_token: [EXIT.failure, 'The token is not good.'],
  invalid_api_key: [EXIT.failure, 'The API key is not good.'],
  invalid_credentials: [EXIT.failure, 'The credentials are wrong.'],
  invalid_grant: [EXIT.failure, 'The token is not good.'],
  insufficient_scope: [EXIT.conflict, 'The scopes are more than its user may do.'],
  insufficient_role: [EXIT.conflict, 'The role does not allow that.'],
  account_disabled: [EXIT.conflict, 'The account is disabled.'],
  registration_closed: [EXIT.conflict, 'Registration is closed.'],
  setup_completed: [EXIT.conflict, 'The set-up is complete.'],
  local_only: [EXIT.failure, 'Only this machine may do that.'],
  not_found: [EXIT.notFound, 'There is no such thing.'],
  email_taken: [EXIT.conflict, 'Another account has this email address.'],
  username_taken: [EXIT.conflict, 'Another account has this username.'],
  last_owner: [EXIT.conflict, 'This is the last owner who can sign in: make another one first.'],
  account_locked: [EXIT.conflict, 'The account is locked.'],
  too_many_requests: [EXIT.unavailable, 'Too many attempts: try again later.'],
  overloaded: [EXIT.unavailable, 'Too much is going on: try again later.'],
  unavailable: [EXIT.unavailable, 'The database went away: whether the change was made is not known. Look, and try again.'],
  internal: [EXIT.failure, 'Something unexpected went wrong.'],
};

/** What a field of the API is on the command line. */
const OPTIONS: Partial<Record<string, string>> = {
  email: '--email', username: '--username', name: '--name', role: 'The role', password: 'The password', scopes: '--scopes',
  expiresAt: '--expires', overlapSeconds: '--overlap', cursor: '--cursor', limit: '--limit', search: '--search', resource: '--resource',
  'resource.type': '--resource', 'resource.id': '--resource',
};

/** A refusal of the core, as the end of a command. */
export function refusal({ code, details }: AuthError): CommandError {
  const [exitCode, sentence] = REFUSALS[code];
  const faults = (details.fields ?? []).map(({ field, message }) => `${OPTIONS[field] ?? field} ${message.replace(/^Password /, '')}`);
  if (code === 'validation_failed' && faults.length > 0) return new CommandError(`${faults.join('; ')}.`, exitCode);
  return new CommandError(details.detail ?? sentence, exitCode);
}
