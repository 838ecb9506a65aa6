import { readBearer } from '../../auth/index.js';
import type { AuthError } from '../../errors/index.js';
import { type Dialect, dialectErrors, type ErrorTable, notFoundText, validationText } from '../dialect.js';
import { AsyncatErrorBody } from './asyncat.dto.js';
import { AsyncatModule } from './asyncat.module.js';

const INVALID_TOKEN = 'Invalid or expired token';
const FORBIDDEN = 'You do not have permission to do this.';

const ERRORS: ErrorTable = {
  validation_failed: [400, invalid],
  invalid_current_password: [400, 'Invalid current password'],
  malformed_body: [400, 'The request body could not be read.'],
  unsupported_media_type: [415, 'Send the request body as JSON.'],
  payload_too_large: [413, 'The request body is too large.'],
  missing_credential: [401, 'Authentication required'],
  invalid_token: [401, INVALID_TOKEN],
  invalid_api_key: [401, INVALID_TOKEN],
  invalid_credentials: [401, 'Invalid email or password'],
  invalid_grant: [401, INVALID_TOKEN],
  insufficient_scope: [403, FORBIDDEN],
  insufficient_role: [403, FORBIDDEN],
  account_disabled: [403, 'This account is disabled.'],
  registration_closed: [403, 'Registration is disabled in the local build. Sign in with the local account.'],
  setup_completed: [403, 'First-run setup already completed.'],
  local_only: [403, ({ details }) => details.detail ?? 'Only allowed from this machine.'],
  not_found: [404, notFoundText],
  email_taken: [409, 'Email already in use.'],
  username_taken: [409, 'Username already in use.'],
  last_owner: [409, 'The last owner must stay.'],
  account_locked: [423, 'Account is temporarily locked due to too many failed login attempts'],
  too_many_requests: [429, 'Too many requests. Try again later.'],
  overloaded: [503, 'The server is busy. Try again shortly.'],
  unavailable: [503, 'The service is temporarily unavailable.'],
  internal: [500, 'Internal server error'],
};

function invalid(error: AuthError): string {
  const [first] = error.details.fields ?? [];
  if (first?.rule === 'too_short') return `Password must be at least ${String(first.least ?? '')} characters`;
  return first?.rule === 'too_common' ? first.message : validationText(error);
}

/** asyncat's wire. */
export const asyncat: Dialect = {
  name: 'asyncat',
  basePath: '/api/auth',
  paths: ['/api/auth'],
  defaults: { PORT: '8716' },
  sessionLifetime: 'JWT_EXPIRES_IN',
  module: AsyncatModule,
  credentials: () => readBearer,
  errors: dialectErrors(AsyncatErrorBody, ERRORS, (error): AsyncatErrorBody => ({ success: false, error })),
};
