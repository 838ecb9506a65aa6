import { STATUS_CODES } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { documentAccess, type DocumentedWire, SECURITY_SCHEMES } from './access/index.js';
import { NativeApi, VERSION } from './config/index.js';
import { type Dialect, MountedDialects } from './dialects/index.js';
import { AUTH_ERROR_CODES, AuthError, type AuthErrorCode } from './errors/index.js';
import { PROBLEM_MEDIA_TYPE, ProblemDetails, problemExample, renderForeignProblem } from './http/index.js';

/** Describes every route of the application, the product's own included. */
export function createDocument(app: NestFastifyApplication): OpenAPIObject {
  const { path } = app.get(NativeApi);
  const dialects = app.get(MountedDialects);
  const builder = new DocumentBuilder()
    .setTitle('Gatehouse')
    .setDescription(
      `Authentication for self-hosted products. The native API is served at \`${path}\`. Errors are problem details ` +
        `(RFC 9457); branch on their \`code\`.${describeDialects(dialects.all)}`,
    )
    .setVersion(VERSION)
    .addOAuth2(
      {
        type: 'oauth2',
        description: 'Sign in with an email address or a username. `client_id` and `client_secret` stay empty.',
        flows: { password: { tokenUrl: `${path}/auth/login`, scopes: {} } },
      },
      SECURITY_SCHEMES.password,
    )
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token, as a login answered it.' },
      SECURITY_SCHEMES.accessToken,
    )
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key.' }, SECURITY_SCHEMES.apiKey);
  for (const { name, basePath, apiKeyHeader } of dialects.all) {
    if (apiKeyHeader === undefined) continue;
    builder.addApiKey({ type: 'apiKey', in: 'header', name: apiKeyHeader, description: `An API key, below \`${basePath}\`.` }, apiKeySchemeOf(name));
  }
  const extraModels = [ProblemDetails, ...dialects.all.map(({ errors }) => errors.schema)];
  const document = SwaggerModule.createDocument(app, builder.build(), { extraModels });
  const wireOf = (path: string): Wire => wireAt(path, dialects.of(path));
  documentAccess(document, wireOf);
  completeOperations(document, wireOf);
  return document;
}

function describeDialects(dialects: readonly Dialect[]): string {
  const places = dialects.map(({ name, basePath }) => `\n- \`${name}\` at \`${basePath}\``);
  return places.length === 0 ? '' : `\n\nDialects, with errors of their own form:\n${places.join('')}`;
}

/** A dialect's own way to take API keys. */
function apiKeySchemeOf(dialect: string): string {
  return `${dialect}ApiKey`;
}

/** How keys are taken, and how errors look, below a path. */
interface Wire extends DocumentedWire {
  /** What an error looks like; of a code that the wire answers with this status. */
  readonly answer: (code: AuthErrorCode) => { status: number; body: unknown };
  /** What an error looks like that has a status and none of our codes. */
  readonly foreign: (status: number) => unknown;
  readonly isNative: boolean;
}

function wireAt(path: string, dialect: Dialect | null): Wire {
  const instance = path.replace('{id}', EXAMPLE_ID);
  if (dialect === null) {
    const answer = (code: AuthErrorCode): { status: number; body: ProblemDetails } => {
      const body = problemExample(code, instance);
      return { status: body.status, body };
    };
    const foreign = (status: number): unknown => renderForeignProblem(status, titleOf(status), { path: instance, requestId: EXAMPLE_ID }).body;
    return { apiKeyScheme: SECURITY_SCHEMES.apiKey, mediaType: PROBLEM_MEDIA_TYPE, schema: ProblemDetails.name, answer, foreign, isNative: true };
  }
  const { schema, render, renderForeign } = dialect.errors;
  const apiKeyScheme = dialect.apiKeyHeader === undefined ? SECURITY_SCHEMES.apiKey : apiKeySchemeOf(dialect.name);
  return {
    apiKeyScheme,
    mediaType: 'application/json',
    schema: schema.name,
    answer: (code) => render(exampleError(code)),
    foreign: (status) => renderForeign(status, titleOf(status)).body,
    isNative: false,
  };
}

function titleOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

/** An error as it might happen, for a wire to render. */
function exampleError(code: AuthErrorCode): AuthError {
  return new AuthError(code, {
    ...(code === 'validation_failed' ? { fields: [{ field: 'name', message: 'must be a string' }] } : {}),
    ...(code === 'account_locked' ? { lockedUntil: new Date('2026-01-15T10:45:00.000Z') } : {}),
  });
}

/** Serves the document at `/openapi.json` and Swagger UI at `/docs`. */
export function serveDocument(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => createDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Gatehouse',
    customCss: '.swagger-ui .topbar { display: none }',
    swaggerOptions: { persistAuthorization: true, tagsSorter: 'alpha' },
  });
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Response = Exclude<NonNullable<Operation['responses'][string]>, { $ref: string }>;

/** What an answer means where the route says nothing more particular; the code is the first in backticks. */
const DEFAULT_ANSWERS: Record<string, string> = {
  200: 'Success',
  201: 'Created',
  204: 'Done; there is no body',
  400: '`malformed_body`: the body is not what its media type says',
  401: '`missing_credential`, `invalid_token` or `invalid_api_key`',
  403: '`insufficient_role` or `insufficient_scope`',
  404: '`not_found`',
  413: '`payload_too_large`: more than 1 MiB',
  415: '`unsupported_media_type`',
  422: '`validation_failed`, with the fields at fault',
  423: '`account_locked`, with `lockedUntil`',
  429: '`too_many_requests`',
  503: '`unavailable` or `overloaded`: try again after `Retry-After` seconds',
};

const RETRY_AFTER = { 'Retry-After': { description: 'Seconds until it is worth trying again.', schema: { type: 'integer', example: 5 } } };
const CHALLENGE = { 'WWW-Authenticate': { description: 'The challenge of RFC 6750.', schema: { type: 'string' } } };
/** Headers that come with a status. */
const HEADERS: Record<string, NonNullable<Response['headers']>> = {
  401: CHALLENGE, 403: CHALLENGE, 423: RETRY_AFTER, 429: RETRY_AFTER, 503: RETRY_AFTER,
};

/** Completes what all routes have in common: sentences, the ways in which every body or parameter can be wrong, problems. */
function completeOperations(document: OpenAPIObject, wireOf: (path: string) => Wire): void {
  for (const [path, item] of Object.entries(document.paths)) {
    const wire = wireOf(path);
    for (const operation of [item.get, item.post, item.put, item.patch, item.delete]) {
      if (operation === undefined) continue;
      splitSummary(operation);
      addCommonErrors(operation, wire);
      for (const [status, response] of Object.entries(operation.responses)) {
        if (response !== undefined && !('$ref' in response)) completeResponse(response, status, wire);
      }
    }
  }
}

/** The first sentence is the summary; what follows it is shown when the operation is opened. */
function splitSummary(operation: Operation): void {
  const text = (operation.summary ?? '').replaceAll(/\s+/g, ' ').trim();
  const [, first = text, rest = ''] = /^(.+?)\.(?: ([A-Z].*))?$/.exec(text) ?? [];
  operation.summary = first;
  if (rest !== '') operation.description ??= rest;
}

function addCommonErrors(operation: Operation, wire: Wire): void {
  const { requestBody, parameters = [], security = [], responses } = operation;
  const wrong: AuthErrorCode[] = [
    ...(requestBody === undefined ? [] : (['malformed_body', 'payload_too_large', 'unsupported_media_type', 'validation_failed'] as const)),
    ...(parameters.length === 0 ? [] : (['validation_failed'] as const)),
    // Whatever is looked up or written can find the database away.
    ...(requestBody === undefined && security.length === 0 ? [] : (['unavailable'] as const)),
  ];
  for (const code of wrong) responses[wire.answer(code).status] ??= { description: '' };
}

function completeResponse(response: Response, status: string, wire: Wire): void {
  if (response.description === '') response.description = describeAnswer(status, wire);
  if (Number(status) < 400) return;
  const json = response.content?.['application/json'];
  const schemas = [ProblemDetails.name, wire.schema].map((name) => JSON.stringify({ $ref: `#/components/schemas/${name}` }));
  const isOurs = response.content === undefined || PROBLEM_MEDIA_TYPE in response.content || schemas.includes(JSON.stringify(json?.schema));
  if (!isOurs) return;
  const schema = { $ref: `#/components/schemas/${wire.schema}` };
  response.content = { [wire.mediaType]: { schema, ...exampleOf(response.description, status, wire) } };
  const headers = wire.isNative || status !== '401' && status !== '403' ? HEADERS[status] : undefined;
  if (headers !== undefined) response.headers = { ...headers, ...response.headers };
}

/** The codes are the native API's to name; a dialect says what a status means. */
function describeAnswer(status: string, wire: Wire): string {
  const text = DEFAULT_ANSWERS[status];
  if (text === undefined || (!wire.isNative && Number(status) >= 400)) return STATUS_CODES[status] ?? status;
  return text;
}

/**
 * An example of the first code that the description names, or else of the one that the status usually comes with, or else
 * of none of ours.
 */
function exampleOf(description: string, status: string, wire: Wire): { example: unknown } {
  const named = [...`${description} ${DEFAULT_ANSWERS[status] ?? ''}`.matchAll(/`(\w+)`/g)];
  const code = [...named.map(([, name]) => name), ...(wire.isNative ? [] : AUTH_ERROR_CODES)]
    .map((name) => AUTH_ERROR_CODES.find((known) => known === name))
    .find((known) => known !== undefined && wire.answer(known).status === Number(status));
  return { example: code === undefined ? wire.foreign(Number(status)) : wire.answer(code).body };
}

const EXAMPLE_ID = '0190b6f4-6c1e-7cc2-b7a5-0d8f8a3a6f11';
