import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
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
    request.credential = credential;
    try {
      request.user = await verifyAccessToken(request, context.getArgByIndex<FastifyReply>(1));
    } catch (error) {
      // Any other fault is told: nobody may believe that a session has ended when nobody could look.
      if (!(error instanceof AuthError && error.code === 'invalid_token')) throw error;
    }
    return true;
  }
}
