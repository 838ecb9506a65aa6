import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger as Pino } from 'pino';
import { REQUEST } from './gathered-lines.js';
import { type TraceContext, traceOf } from './trace-context.js';

/** Asked again and again by machines. */
const PROBES = /^\/(health|metrics)([/?]|$)/;
const ACCEPTED_ID = /^[\w.:-]{8,128}$/;

/** The id of a request: the caller's, where it is harmless, so that one id follows a call through several services. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && ACCEPTED_ID.test(given) ? given : randomUUID();
}

/** Writes one line a request, and sends the request's id along with the answer. */
export function logRequests(server: FastifyInstance, log: Pino): void {
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    logRequest(log, request, reply);
    done();
  });
}

/** The one line of a request that has been answered; for those that Fastify answers without its hooks. */
export function logRequest(log: Pino, request: FastifyRequest, reply: FastifyReply): void {
  const level = PROBES.test(request.url) && reply.statusCode < 400 ? 'debug' : 'info';
  if (!log.isLevelEnabled(level)) return;
  const line: RequestLine = {
    requestId: request.id,
    ...traceOf(request.headers),
    method: request.method,
    path: loggedPath(request),
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
    ipAddress: request.ip,
  };
  const { user } = request;
  if (user !== undefined) {
    line.userId = user.userId;
    if (user.type === 'api-key') line.apiKeyId = user.apiKeyId;
  }
  log[level](line, REQUEST);
}

interface RequestLine extends Partial<TraceContext> {
  requestId: string;
  method: string;
  path: string;
  status: number;
  durationMs: number;
  ipAddress: string;
  userId?: string | null;
  apiKeyId?: string;
}

const UUID_OR_WORD = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w.-]{0,24})$/i;

/** The path without its query, and without segments that could be a credential that went astray. */
function loggedPath(request: FastifyRequest): string {
  // A route without parameters: what it is called was not made up by a caller.
  if (request.url === request.routeOptions.url) return request.url;
  const end = request.url.search(/[?#;]/);
  const path = end === -1 ? request.url : request.url.slice(0, end);
  return path
    .split('/')
    .map((segment) => (UUID_OR_WORD.test(segment) ? segment : '…'))
    .join('/');
}
