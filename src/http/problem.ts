import { STATUS_CODES } from 'node:http';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { AuthError, AuthErrorCode } from '../errors/index.js';

/** One refused field of a request. */
export class ProblemField {
  @ApiProperty({ example: 'email', description: 'Path of the field, with dots.' })
  field!: string;

  @ApiProperty({ example: 'must be an email address' })
  message!: string;
}

/** The error body of the native API: problem details as in RFC 9457 §3. */
export class ProblemDetails {
  @ApiProperty({ example: 'urn:gatehouse:error:invalid_token' })
  type!: string;

  @ApiProperty({ example: 'Invalid or expired access token' })
  title!: string;

  @ApiProperty({ type: 'integer', example: 401 })
  status!: number;

  @ApiPropertyOptional({ example: 'Sign in again.' })
  detail?: string;

  @ApiProperty({ example: '/api/v1/auth/me', description: 'Path of the request, without its query.' })
  instance!: string;

  @ApiProperty({ example: 'invalid_token', description: 'Stable: branch on this.' })
  code!: string;

  @ApiProperty({ example: '0190b6f4-6c1e-7cc2-b7a5-0d8f8a3a6f11', description: 'Also in `X-Request-Id` and in the log.' })
  requestId!: string;

  @ApiPropertyOptional({ type: [ProblemField], description: 'The fields at fault, if there are any.' })
  errors?: ProblemField[];

  @ApiPropertyOptional({ format: 'date-time', example: '2026-01-15T10:45:00.000Z', description: 'On 423 alone.' })
  lockedUntil?: string;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** An error as one wire sends it. */
export interface ErrorAnswer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** The status and title of every code on the native wire. */
const PROBLEMS: Record<AuthErrorCode, readonly [status: number, title: string]> = {
  validation_failed: [422, 'The request has invalid fields'],
  invalid_current_password: [422, 'The current password is wrong'],
  malformed_body: [400, 'The body could not be read'],
  unsupported_media_type: [415, 'This media type is not accepted here'],
  payload_too_large: [413, 'The body is too large'],
  missing_credential: [401, 'Authentication is required'],
  invalid_token: [401, 'Invalid or expired access token'],
  invalid_api_key: [401, 'Invalid API key'],
  invalid_credentials: [401, 'Wrong identifier or password'],
  invalid_grant: [401, 'Invalid or expired refresh token'],
  insufficient_scope: [403, 'The credential does not reach this far'],
  insufficient_role: [403, 'Your role does not allow this'],
  account_disabled: [403, 'The account is disabled'],
  registration_closed: [403, 'Registration is closed'],
  setup_completed: [403, 'Set-up is complete'],
  local_only: [403, 'Only allowed from this machine'],
  not_found: [404, 'Not found'],
  email_taken: [409, 'The email address is already in use'],
  username_taken: [409, 'The username is already in use'],
  last_owner: [409, 'The last owner must stay'],
  account_locked: [423, 'The account is locked after too many failed attempts'],
  too_many_requests: [429, 'Too many requests'],
  overloaded: [503, 'The server is busy, try again shortly'],
  unavailable: [503, 'A service the server depends on is away'],
  internal: [500, 'Something went wrong on the server'],
};

/** What an answer with a code looks like, for the OpenAPI document. */
export function problemExample(code: AuthErrorCode, instance: string): ProblemDetails {
  const [status, title] = PROBLEMS[code];
  return {
    type: `urn:gatehouse:error:${code}`,
    title,
    status,
    instance,
    code,
    requestId: '0190b6f4-6c1e-7cc2-b7a5-0d8f8a3a6f11',
    ...(code === 'validation_failed' ? { errors: [{ field: 'name', message: 'must be a string' }] } : {}),
    ...(code === 'account_locked' ? { lockedUntil: '2026-01-15T10:45:00.000Z' } : {}),
  };
}

/** Renders an error as problem details (RFC 9457), with the challenge that RFC 6750 §3 asks for. */
export function renderProblem(error: AuthError, at: { path: string; requestId: string }): ErrorAnswer {
  const [status, title] = PROBLEMS[error.code];
  const { detail, fields, lockedUntil } = error.details;
  const body: ProblemDetails = {
    type: `urn:gatehouse:error:${error.code}`,
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    instance: at.path,
    code: error.code,
    requestId: at.requestId,
    ...(fields === undefined ? {} : { errors: fields.map(({ field, message }) => ({ field, message })) }),
    ...(lockedUntil === undefined ? {} : { lockedUntil: lockedUntil.toISOString() }),
  };
  const challenge = challengeOf(error);
  const headers = challenge === undefined ? {} : { 'www-authenticate': challenge };
  return { status, headers: { ...problemHeaders(at.requestId), ...headers }, body };
}

/** The request's id goes along here too: for a URL that the router could not read, no hook runs that would add it. */
function problemHeaders(requestId: string): Record<string, string> {
  return { 'content-type': PROBLEM_MEDIA_TYPE, 'x-request-id': requestId };
}

/** The `WWW-Authenticate` value: bare without a credential, with the error when one was bad (RFC 6750 §3). */
export function challengeOf(error: AuthError): string | undefined {
  switch (error.code) {
    case 'missing_credential':
    case 'invalid_credentials':
      return 'Bearer realm="gatehouse"';
    case 'invalid_token':
    case 'invalid_api_key':
    case 'invalid_grant':
      return 'Bearer realm="gatehouse", error="invalid_token"';
    case 'insufficient_scope': {
      const scopes = error.details.requiredScopes ?? [];
      const scope = scopes.length === 0 ? '' : `, scope="${scopes.join(' ')}"`;
      return `Bearer realm="gatehouse", error="insufficient_scope"${scope}`;
    }
    default:
      return undefined;
  }
}

/** Seconds after which what is away may be there again. */
export const RETRY_WHEN_UNAVAILABLE = 5;

const RETRY_AFTER: Partial<Record<AuthErrorCode, number>> = { overloaded: 2, unavailable: RETRY_WHEN_UNAVAILABLE };

/** Seconds for the `Retry-After` of 423, 429 and 503, on every wire (RFC 9110 §10.2.3). */
export function retryAfterOf(error: AuthError): number | undefined {
  const { retryAfterSeconds, lockedUntil } = error.details;
  if (retryAfterSeconds !== undefined) return retryAfterSeconds;
  if (lockedUntil !== undefined) return Math.max(1, Math.ceil((lockedUntil.getTime() - Date.now()) / 1000));
  return RETRY_AFTER[error.code];
}

/** The code of an error that has none of ours. */
export function codeOf(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z]+/g, '_');
}

/** An error of a product's own module that has no code of ours: its status stays, its message becomes the detail. */
export function renderForeignProblem(status: number, detail: string, at: { path: string; requestId: string }): ErrorAnswer {
  const title = STATUS_CODES[status] ?? 'Error';
  const body: ProblemDetails = {
    type: 'about:blank',
    title,
    status,
    ...(detail === title ? {} : { detail }),
    instance: at.path,
    code: codeOf(title),
    requestId: at.requestId,
  };
  return { status, headers: problemHeaders(at.requestId), body };
}
