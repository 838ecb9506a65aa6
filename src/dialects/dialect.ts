import { HttpException, type Type } from '@nestjs/common';
import type { CredentialReader } from '../auth/index.js';
import type { DialectRules } from '../config/index.js';
import type { AuthError, AuthErrorCode } from '../errors/index.js';
import type { ErrorAnswer } from '../http/index.js';

/**
 * A product's wire contract. A dialect translates; it never decides: it has controllers, the form of its errors, and the
 * values of its policy. To add one, make a folder beside this file and add it to the list in `registry.ts`.
 */
export interface Dialect extends DialectRules {
  /** Errors below this path are the dialect's, and unknown routes there too. */
  readonly basePath: `/${string}`;
  /** Its controllers, at their full paths. */
  readonly module: Type;
  readonly errors: DialectErrors;
  /** Where credentials are read from below the base path; without one, as the native API does. */
  readonly credentials?: (settings: CredentialSettings) => CredentialReader;
  /** The header that it takes API keys in, for the OpenAPI document; `X-API-Key` if it says nothing. */
  readonly apiKeyHeader?: string;
}

/** What a reader of credentials may depend on. */
export interface CredentialSettings {
  readonly apiKeyPrefix: string;
  readonly enabledAuthApi: boolean;
}

/** The dialect's form of errors. */
export interface DialectErrors {
  /** The class that describes an error body in the OpenAPI document. */
  readonly schema: Type;
  /** Renders an error; `Retry-After` is added by the filter. */
  readonly render: (error: AuthError) => ErrorAnswer;
  /** Renders an error of a product's own module that has no code of ours. */
  readonly renderForeign: (status: number, message: string) => ErrorAnswer;
}

/** The status and the text of every code on a dialect's wire; the text may depend on the error. */
export type ErrorTable = Record<AuthErrorCode, readonly [status: number, text: string | ((error: AuthError) => string)]>;

/**
 * The errors of a dialect whose body is made of a status and a text.
 * @param table every code, so that a new one does not compile until the dialect answers it
 * @param body the form of the body
 */
export function dialectErrors(
  schema: Type,
  table: ErrorTable,
  body: (text: string, status: number, error: AuthError | null) => unknown,
): DialectErrors {
  const answer = (status: number, text: string, error: AuthError | null): ErrorAnswer => ({
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: body(text, status, error),
  });
  return {
    schema,
    render: (error) => {
      const [status, text] = table[error.code];
      return answer(status, typeof text === 'string' ? text : text(error), error);
    },
    renderForeign: (status, message) => answer(status, message, null),
  };
}

/** The sentence of a 404: what a product's own module says was not found. What the core says more is the native API's. */
export function notFoundText({ details: { cause, detail } }: AuthError): string {
  return cause instanceof HttpException && detail !== undefined ? detail : 'Not found';
}

/** The sentence of a validation error: the one that the controller chose, or the first field and what is wrong with it. */
export function validationText(error: AuthError): string {
  const { detail, fields } = error.details;
  const [first] = fields ?? [];
  return detail ?? (first === undefined ? 'Invalid request' : `${first.field} ${first.message}`);
}

/** The fields of a body that may be anything: an object's, or none. */
export function fieldsOf(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
}
