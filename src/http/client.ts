import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isLocalRequest } from './local-request.js';

/** Who is calling, as far as the connection tells: for sessions, the audit log and the rate limit. */
export interface Client {
  ipAddress: string | null;
  userAgent: string | null;
  requestId: string | null;
  /** Whether the request comes from this very machine. */
  isLocal: boolean;
  /** Who gave a command on the command line, in place of somebody who signed in. */
  operator?: string;
}

/** The server itself, for what happens without a request. */
export const NO_CLIENT: Client = { ipAddress: null, userAgent: null, requestId: null, isLocal: true };

const LONGEST_USER_AGENT = 400;

/** Reads the client of a request; the address respects `TRUST_PROXY`. */
export function clientOf(request: FastifyRequest): Client {
  return {
    ipAddress: request.ip,
    userAgent: request.headers['user-agent']?.slice(0, LONGEST_USER_AGENT) ?? null,
    requestId: request.id,
    isLocal: isLocalRequest(request.raw),
  };
}

/** The client of the request, as a parameter of a handler. */
export const CurrentClient = createParamDecorator((_: unknown, context: ExecutionContext): Client =>
  clientOf(context.getArgByIndex<FastifyRequest>(0)),
);
