import type { TokenPolicy } from '../../auth/index.js';
import type { AuthError } from '../../errors/index.js';
import { type Dialect, dialectErrors, type ErrorTable, notFoundText, validationText } from '../dialect.js';
import { OsTradingEngineErrorBody } from './os-trading-engine.dto.js';

const ACCESS_SECONDS = 15 * 60;
const REFRESH_SECONDS = 24 * 60 * 60;
const REMEMBERED_SECONDS = 30 * 24 * 60 * 60;

const ERRORS: ErrorTable = {
  validation_failed: [400, validationText],
  invalid_current_password: [400, 'Current password is incorrect'],
  malformed_body: [400, (error) => error.details.detail ?? 'The request could not be read'],
  unsupported_media_type: [415, 'Unsupported media type: send application/json'],
  payload_too_large: [413, 'Request body is too large'],
  missing_credential: [401, ({ details }) => (details.reason === 'malformed' ? 'Invalid authorization header format' : 'Authorization header required')],
  invalid_token: [401, ({ details }) => (details.reason === 'revoked' ? 'Token has been revoked' : 'Invalid token')],
  invalid_api_key: [401, 'Invalid API key'],
  invalid_credentials: [401, 'Invalid email or password'],
  invalid_grant: [401, 'Invalid or expired refresh token'],
  insufficient_scope: [403, (error) => error.details.detail ?? 'Insufficient permissions'],
  insufficient_role: [403, (error) => error.details.detail ?? 'Insufficient permissions'],
  account_disabled: [403, 'Account is disabled'],
  registration_closed: [403, 'Registration is disabled'],
  setup_completed: [403, 'Setup is complete'],
  local_only: [403, (error) => error.details.detail ?? 'Only allowed from this machine'],
  not_found: [404, notFoundText],
  email_taken: [409, 'Email already exists'],
  username_taken: [409, 'Username already exists'],
  last_owner: [409, 'The last owner must stay'],
  account_locked: [423, 'Account is temporarily locked due to too many failed login attempts'],
  too_many_requests: [429, 'Too many requests, please try again later'],
  overloaded: [503, 'Server is busy, please try again shortly'],
  unavailable: [503, 'Service unavailable, please try again shortly'],
  internal: [500, 'Internal server error'],
};

function errorBody(text: string, _status: number, error: AuthError | null): OsTradingEngineErrorBody {
  const lockedUntil = error?.details.lockedUntil;
  return { error: text, ...(lockedUntil === undefined ? {} : { lockedUntil: lockedUntil.toISOString() }) };
}

/** All of the dialect but its controllers. */
export const contract: Omit<Dialect, 'module'> = {
  name: 'os-trading-engine',
  basePath: '/api/v1',
  paths: ['/api/v1/auth', '/api/v1/api-keys'],
  requires: ['adminEmail', 'adminPassword'],
  errors: dialectErrors(OsTradingEngineErrorBody, ERRORS, errorBody),
};

/** The product's web client keeps the refresh token that it was given first: it stays the same. */
export function tokenPolicy(rememberMe: boolean): TokenPolicy {
  return {
    dialect: contract.name,
    accessTtlSeconds: ACCESS_SECONDS,
    sessionTtlSeconds: rememberMe ? REMEMBERED_SECONDS : REFRESH_SECONDS,
    rotating: false,
  };
}
