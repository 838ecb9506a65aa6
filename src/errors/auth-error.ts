import type { AuthErrorCode } from './codes.js';

/** One field of a request that was refused, and why. `field` is a path such as `scopes.0`. */
export interface FieldError {
  field: string;
  message: string;
  /** Which rule was broken, for wires that have a sentence of their own for it. */
  rule?: 'too_short' | 'too_common';
  /** How many characters it takes, where it was too short. */
  least?: number;
}

/** What a refusal carries beside its code. */
export interface AuthErrorDetails {
  /** A sentence for the caller; the wire has a default one for every code. */
  detail?: string;
  /** The fields at fault. */
  fields?: FieldError[];
  /** When a locked account opens again. */
  lockedUntil?: Date;
  /** Seconds after which a retry makes sense (RFC 9110 §10.2.3). */
  retryAfterSeconds?: number;
  /** The scopes that would have been enough (RFC 6750 §3). */
  requiredScopes?: readonly string[];
  /** More about a refused credential, for wires that tell these apart. */
  reason?: 'expired' | 'revoked' | 'malformed';
  /** What kind of credential was missing, where it is not the access token that most routes take. */
  wanted?: 'api-key';
  /** What really happened: for the log, never for the answer. */
  cause?: unknown;
}

/**
 * An expected refusal. The core throws these and knows nothing of HTTP; the edge renders them in the
 * caller's wire format.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError';

  constructor(
    readonly code: AuthErrorCode,
    readonly details: AuthErrorDetails = {},
  ) {
    super(details.detail ?? code, { cause: details.cause });
  }
}

/** A refusal of one field: `validation_failed` that names it. */
export function invalidField(field: string, message: string): AuthError {
  return new AuthError('validation_failed', { fields: [{ field, message }] });
}
