import { type Dialect, dialectErrors, type ErrorTable, notFoundText, validationText } from '../dialect.js';
import { API_KEY_HEADER, osmedeusCredentials } from './osmedeus.credentials.js';
import { OsmedeusErrorBody } from './osmedeus.dto.js';
import { OsmedeusModule } from './osmedeus.module.js';

const INVALID_BODY = 'Invalid request body';
const FORBIDDEN = 'Insufficient permissions';
const INVALID_TOKEN = 'Invalid or expired token';

const ERRORS: ErrorTable = {
  validation_failed: [400, validationText],
  invalid_current_password: [400, 'Invalid current password'],
  malformed_body: [400, INVALID_BODY],
  unsupported_media_type: [400, INVALID_BODY],
  payload_too_large: [413, 'Request body is too large'],
  missing_credential: [401, ({ details }) => (details.reason === 'malformed' ? 'Invalid authorization header format' : 'Missing authorization header')],
  invalid_token: [401, INVALID_TOKEN],
  invalid_api_key: [401, 'Invalid or missing API key'],
  invalid_credentials: [401, 'Invalid credentials'],
  invalid_grant: [401, INVALID_TOKEN],
  insufficient_scope: [403, FORBIDDEN],
  insufficient_role: [403, FORBIDDEN],
  account_disabled: [403, 'Account is disabled'],
  registration_closed: [403, 'Registration is disabled'],
  setup_completed: [403, 'Setup is already complete'],
  local_only: [403, ({ details }) => details.detail ?? 'Only allowed from this machine'],
  not_found: [404, notFoundText],
  email_taken: [409, 'Email already in use'],
  username_taken: [409, 'Username already in use'],
  last_owner: [409, 'The last owner must stay'],
  account_locked: [423, 'Account is temporarily locked due to too many failed login attempts'],
  too_many_requests: [429, 'Too many requests'],
  overloaded: [503, 'Server is busy, try again shortly'],
  unavailable: [503, 'Service temporarily unavailable'],
  internal: [500, 'Internal server error'],
};

/** Osmedeus' wire. */
export const osmedeus: Dialect = {
  name: 'osmedeus',
  basePath: '/osm/api',
  paths: ['/osm/api'],
  sessionLifetime: 'JWT_EXPIRATION_MINUTES',
  module: OsmedeusModule,
  credentials: osmedeusCredentials,
  apiKeyHeader: API_KEY_HEADER,
  errors: dialectErrors(OsmedeusErrorBody, ERRORS, (message): OsmedeusErrorBody => ({ error: true, message })),
};
