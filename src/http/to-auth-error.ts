import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { AuthError, type AuthErrorCode, isAway } from '../errors/index.js';

/** What frameworks throw on our behalf, in our own terms. */
const BY_STATUS: Record<number, AuthErrorCode> = {
  404: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
};

/** A row that another row points at is gone (SQLSTATE foreign_key_violation): the account was deleted a moment ago. */
const FOREIGN_KEY_VIOLATION = '23503';

/**
 * Any error at all, as a refusal. What is not recognised is `internal`, with the error as its cause.
 * An `HttpException` that a product's own module threw has no code of ours: `null`, it keeps its status.
 */
export function toAuthError(error: unknown): AuthError | null {
  if (error instanceof AuthError) return error;
  if (error instanceof HttpException) {
    if (isBodyError(error)) return new AuthError('malformed_body', { detail: error.message, cause: error });
    const code = BY_STATUS[error.getStatus()];
    return code === undefined ? null : new AuthError(code, { ...detailOf(error), cause: error });
  }
  return new AuthError(codeOf(error), { cause: error });
}

function codeOf(error: unknown): AuthErrorCode {
  if (isAway(error)) return 'unavailable';
  const { driverError } = Object(error) as { driverError?: { code?: string } };
  return driverError?.code === FOREIGN_KEY_VIOLATION ? 'not_found' : 'internal';
}

/** What Nest's parser says of a form with a field `__proto__`, without a cause, as Fastify's does of such JSON. */
const POISONED_FORM = 'Object contains forbidden prototype property';

/** Whether the parsers could not make sense of the body; a product's own 400 may have a cause too, of another kind. */
function isBodyError(error: HttpException): boolean {
  return error.getStatus() === 400 && (isFastifyError(error.cause) || error.message === POISONED_FORM);
}

/** What a product's own module said, such as which thing was not found; not the sentences of the frameworks. */
function detailOf(error: HttpException): { detail?: string } {
  const { message } = error;
  const ours = isFastifyError(error.cause) || /^Cannot [A-Z]+ \//.test(message) || message === STATUS_CODES[error.getStatus()];
  return ours ? {} : { detail: message };
}

function isFastifyError(error: unknown): boolean {
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith('FST_');
}
