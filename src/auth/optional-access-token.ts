import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { UserPrincipal } from '../access/index.js';
import { Settings } from '../config/index.js';
import { AuthError } from '../errors/index.js';
import { verifyAccessToken } from './access.guard.js';
import { CredentialReaders } from './credential.js';

/**
 * For public routes that do a little more for somebody who is signed in, such as a logout that anybody may call. With a
 * good access token the route has a principal; without one, or with a bad one, it has none, and nobody is refused.
 */
@Injectable()
export class OptionalAccessToken implements CanActivate {
  constructor(
    private readonly settings: Settings,
    private readonly credentials: CredentialReaders,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.getArgByIndex<FastifyRequest>(0);
    const credential = this.credentials.read(request);
    if (this.settings.authDisabled || credential.kind !== 'access-token') return true;
    const person = await personBehind(credential.token, request, context.getArgByIndex<FastifyReply>(1));
    if (person !== null) request.user = person;
    return true;
  }
}

/**
 * Who is behind an access token, wherever in the request it was; `null` behind a bad one. Any other fault is told: nobody
 * may believe that a session has ended when nobody could look.
 */
export async function personBehind(token: string, request: FastifyRequest, reply: FastifyReply): Promise<UserPrincipal | null> {
  request.credential = { kind: 'access-token', token };
  try {
    return await verifyAccessToken(request, reply);
  } catch (error) {
    if (error instanceof AuthError && error.code === 'invalid_token') return null;
    throw error;
  }
}
