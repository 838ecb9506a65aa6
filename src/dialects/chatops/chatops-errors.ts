import { ApiProperty } from '@nestjs/swagger';
import type { AuthError, FieldError } from '../../errors/index.js';
import type { ErrorAnswer } from '../../http/index.js';
import { dialectErrors, type DialectErrors, type ErrorTable } from '../dialect.js';
import type { FieldFault } from './request-fields.js';

/** The body of every error but 422. */
export class ChatOpsError {
  @ApiProperty({ example: 'Could not validate credentials' })
  detail!: string;
}

class ChatOpsFieldFault {
  @ApiProperty({ type: [String], example: ['body', 'email'] })
  loc!: string[];

  @ApiProperty({ example: 'Field required' })
  msg!: string;

  @ApiProperty({ example: 'missing' })
  type!: string;
}

/** The body of 422. */
export class ChatOpsValidationError {
  @ApiProperty({ type: [ChatOpsFieldFault] })
  detail!: ChatOpsFieldFault[];
}

const NOT_VALIDATED = 'Could not validate credentials';

/** The status and sentence of every code. Those of 422 stand in a list, which `listOf` makes. */
const TABLE: ErrorTable = {
  validation_failed: [422, ''],
  malformed_body: [422, ''],
  invalid_current_password: [400, 'Current password is incorrect'],
  unsupported_media_type: [415, 'Unsupported Media Type'],
  payload_too_large: [413, 'Request Entity Too Large'],
  missing_credential: [401, ({ details }) => (details.wanted === 'api-key' ? 'API key required' : NOT_VALIDATED)],
  invalid_token: [401, NOT_VALIDATED],
  invalid_api_key: [401, ({ details }) => (details.reason === undefined ? 'Invalid API key' : 'API key is inactive')],
  invalid_credentials: [401, 'Incorrect email or password'],
  invalid_grant: [401, 'Invalid refresh token'],
  insufficient_scope: [403, 'Not enough permissions'],
  insufficient_role: [403, 'Not enough permissions'],
  account_disabled: [403, 'Account is disabled'],
  registration_closed: [403, 'Registration is disabled'],
  setup_completed: [403, 'Setup is complete'],
  local_only: [403, 'Only allowed from this machine'],
  not_found: [404, ({ details }) => details.detail ?? 'Not Found'],
  email_taken: [400, 'Email already registered'],
  username_taken: [400, 'Username already taken'],
  last_owner: [409, 'The last owner must stay'],
  account_locked: [423, 'Account is temporarily locked due to too many failed login attempts'],
  too_many_requests: [429, 'Too many requests'],
  overloaded: [503, 'The server is busy, try again shortly'],
  unavailable: [503, 'Service Unavailable'],
  internal: [500, 'Internal Server Error'],
};

const sentences = dialectErrors(ChatOpsError, TABLE, (text, status, error) => ({
  detail: status === 422 && error !== null ? listOf(error) : text,
}));

/** Errors as `{"detail": …}`: a sentence, or a list of the fields at fault. */
export const CHATOPS_ERRORS: DialectErrors = {
  schema: ChatOpsError,
  render: (error) => withChallenge(isBadUrl(error) ? sentences.renderForeign(400, error.message) : sentences.render(error)),
  renderForeign: (status, message) => withChallenge(status === 422 ? foreignList(message) : sentences.renderForeign(status, message)),
};

/** Clients read a list there, whoever finds fault. */
function foreignList(message: string): ErrorAnswer {
  const answer = sentences.renderForeign(422, message);
  return { ...answer, body: { detail: [{ loc: ['body'], msg: message, type: 'value_error' }] } };
}

/** RFC 9110 §15.5.2: a 401 says what would be taken. */
function withChallenge(answer: ErrorAnswer): ErrorAnswer {
  if (answer.status === 401) answer.headers['www-authenticate'] = 'Bearer';
  return answer;
}

/** What cannot be read here is no body. */
function isBadUrl({ code, details }: AuthError): boolean {
  const { code: cause } = (details.cause ?? {}) as { code?: unknown };
  return code === 'malformed_body' && (cause === 'FST_ERR_BAD_URL' || cause === 'FST_ERR_MAX_PARAM_LENGTH');
}

function listOf({ code, details }: AuthError): ChatOpsFieldFault[] {
  const { fields = [], detail } = details;
  if (code === 'malformed_body') return [{ loc: ['body'], msg: detail ?? 'JSON decode error', type: 'json_invalid' }];
  if (fields.length === 0) return [{ loc: ['body'], msg: detail ?? 'Invalid request', type: 'value_error' }];
  return fields.map(faultOf);
}

/** What this wire calls the fields that the core finds fault with. */
const NAMES: Record<string, string> = { newPassword: 'new_password', currentPassword: 'current_password', name: 'full_name' };

function faultOf(field: FieldError | FieldFault): ChatOpsFieldFault {
  if ('loc' in field) return { loc: field.loc, msg: field.message, type: field.type };
  const loc = ['body', NAMES[field.field] ?? field.field];
  if (field.rule !== 'too_short') return { loc, msg: field.message, type: 'value_error' };
  return { loc, msg: `String should have at least ${String(field.least ?? 8)} characters`, type: 'string_too_short' };
}
