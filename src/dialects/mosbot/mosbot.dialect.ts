import { type TokenPolicy } from '../../auth/index.js';
import { parseDuration, type Settings } from '../../config/index.js';
import type { AuthError } from '../../errors/index.js';
import type { User } from '../../users/index.js';
import { type Dialect, dialectErrors, type ErrorTable, notFoundText, validationText } from '../dialect.js';
import { MosbotErrorBody, wireRole } from './mosbot.dto.js';

const LEAST_PASSWORD_LENGTH = 12;

const ERRORS: ErrorTable = {
  validation_failed: [400, validationSentence],
  invalid_current_password: [400, 'Current password is incorrect'],
  malformed_body: [400, (error) => error.details.detail ?? 'The request could not be read'],
  unsupported_media_type: [415, 'Unsupported media type: send application/json'],
  payload_too_large: [413, 'Request body is too large'],
  missing_credential: [401, 'No token provided'],
  invalid_token: [401, 'Invalid or expired token'],
  invalid_api_key: [401, 'Invalid or expired token'],
  invalid_credentials: [401, 'Invalid credentials'],
  invalid_grant: [401, 'Invalid or expired token'],
  insufficient_scope: [403, (error) => error.details.detail ?? 'Insufficient permissions'],
  insufficient_role: [403, (error) => error.details.detail ?? 'Admin or owner access required to manage users'],
  account_disabled: [403, 'Account is deactivated. Please contact an administrator.'],
  registration_closed: [403, 'Registration is disabled'],
  setup_completed: [403, 'Setup is complete'],
  local_only: [403, (error) => error.details.detail ?? 'Only allowed from this machine'],
  not_found: [404, notFoundText],
  email_taken: [409, 'Email already exists'],
  username_taken: [409, 'Username already exists'],
  last_owner: [409, 'The last owner cannot be removed, deactivated or demoted'],
  account_locked: [423, 'Account is temporarily locked due to too many failed login attempts'],
  too_many_requests: [429, 'Too many requests, please try again later'],
  overloaded: [503, 'Server is busy, please try again shortly'],
  unavailable: [503, 'Service unavailable, please try again shortly'],
  internal: [500, 'Internal server error'],
};

function validationSentence(error: AuthError): string {
  const [field] = error.details.fields ?? [];
  if (field?.rule === 'too_short') return `Password must be at least ${String(field.least)} characters`;
  return field?.rule === 'too_common' ? 'Password is too common' : validationText(error);
}

/** All of the dialect but its controllers. */
export const contract: Omit<Dialect, 'module'> = {
  name: 'mosbot',
  basePath: '/api/v1',
  paths: ['/api/v1/auth', '/api/v1/config', '/api/v1/users', '/api/v1/admin'],
  requires: ['jwtSecret'],
  sessionLifetime: 'JWT_EXPIRES_IN',
  errors: dialectErrors(MosbotErrorBody, ERRORS, (message, status) => ({ error: { message, status } })),
};

/** One token for `JWT_EXPIRES_IN`; a session is its token's, and ends with it. */
export function tokenPolicy(settings: Settings): TokenPolicy {
  const lifetime = Number(parseDuration(settings.jwtExpiresIn));
  return {
    dialect: contract.name,
    accessTtlSeconds: lifetime,
    sessionTtlSeconds: lifetime,
    rotating: false,
    claims: ({ id, email, name, role }: User) => ({ id, email, name, role: wireRole(role) }),
  };
}

/** The fewest characters of a password: twelve, or more where the instance wants more. */
export function passwordMinLength(settings: Settings): number {
  return Math.max(LEAST_PASSWORD_LENGTH, settings.passwordMinLength);
}
