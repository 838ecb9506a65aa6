import { finished } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AuthError } from '../errors/index.js';

/**
 * A body that is too large, up to this, is read to its end before it is refused: who still sends when the connection is
 * closed loses the answer.
 */
const LARGEST_DROPPED_BYTES = 16 * 1024 * 1024;

/** What a route says of the bodies that it takes (`@RouteConfig`). */
export interface BodyConfig {
  /** A form is as good as JSON: for logins, as the OAuth 2.0 password flow sends them. */
  acceptsForm?: boolean;
  /** The body, if there is one, is not looked at. */
  ignoresBody?: boolean;
}

/**
 * Decides which bodies are read. JSON is, everywhere; a form where the route says so; nothing else.
 *
 * A request without a body has none, whatever media type it names: many clients send the header with every request, and
 * Fastify would refuse no text at all as bad JSON.
 */
export function governRequestBodies(server: FastifyInstance): void {
  // Fastify reads text/plain unasked.
  server.removeContentTypeParser('text/plain');
  server.addHook('preParsing', (request: FastifyRequest, _reply, payload, done) => {
    if (hasNone(request)) {
      done(null, payload);
      return;
    }
    const { acceptsForm = false, ignoresBody = false } = request.routeOptions.config as BodyConfig;
    // Where there is no route, that is what is said, whatever the body.
    if (ignoresBody || request.is404) removeHeaders(request, 'content-type', 'content-length', 'transfer-encoding');
    else if (isEmpty(request)) removeHeaders(request, 'content-type');
    if (isForm(request) && !acceptsForm) {
      done(new AuthError('unsupported_media_type'), payload);
    } else if (isDropped(request)) {
      finished(payload, () => { done(new AuthError('payload_too_large'), payload); });
      payload.resume();
    } else {
      done(null, payload);
    }
  });
}

/** Whether a request's body is a form. A media type is the same in any case (RFC 9110 §8.3.1), to Fastify's parsers too. */
export function isForm(request: FastifyRequest): boolean {
  return (request.headers['content-type'] ?? '').toLowerCase().startsWith('application/x-www-form-urlencoded');
}

/** Neither a body nor a word about one: most requests are so. */
function hasNone({ raw: { headers } }: FastifyRequest): boolean {
  return headers['content-type'] === undefined && headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
}

function isEmpty({ headers }: FastifyRequest): boolean {
  return (headers['content-length'] ?? '0') === '0' && headers['transfer-encoding'] === undefined;
}

function isDropped({ headers, routeOptions: { bodyLimit } }: FastifyRequest): boolean {
  const length = Number(headers['content-length'] ?? 0);
  return length > bodyLimit && length <= LARGEST_DROPPED_BYTES;
}

function removeHeaders(request: FastifyRequest, ...names: string[]): void {
  for (const name of names) Reflect.deleteProperty(request.raw.headers, name);
}
