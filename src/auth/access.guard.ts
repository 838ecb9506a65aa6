import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  type Access, accessOn, mergeAccess, type Principal, roleAllows, roleIncludes, type Role, scopesCover, type UserPrincipal,
} from '../access/index.js';
import { Settings } from '../config/index.js';
import { AuthError } from '../errors/index.js';
import { PrincipalCache } from '../principals/index.js';
import { ApiKeyStrategy } from './api-key.strategy.js';
import { askStrategy } from './ask-strategy.js';
import { CredentialReaders } from './credential.js';
import { JwtStrategy } from './jwt.strategy.js';
import { NoAuthentication } from './no-authentication.js';

/**
 * The principal behind the access token that was found in a request.
 * @throws AuthError `invalid_token`
 */
export function verifyAccessToken(request: FastifyRequest, reply: FastifyReply): UserPrincipal | Promise<UserPrincipal> {
  return askStrategy<UserPrincipal>(request, reply, (error, principal, info) => {
    if (error instanceof Error) throw error;
    if (principal !== undefined && principal !== false) return principal;
    const expired = info instanceof Error && info.name === 'TokenExpiredError';
    throw new AuthError('invalid_token', expired ? { reason: 'expired' } : {});
  });
}

/**
 * Guards every route. Denies by default: a route without a decorator is for signed-in people alone, and only
 * `@Public()` opens one to everybody.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly known = new WeakMap<object, WeakMap<object, Access>>();

  constructor(
    private readonly settings: Settings,
    private readonly credentials: CredentialReaders,
    private readonly noAuthentication: NoAuthentication,
    private readonly cache: PrincipalCache,
    private readonly accessTokens: JwtStrategy,
    private readonly apiKeys: ApiKeyStrategy,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const access = this.accessOf(context);
    if (access.public) return true;
    const request = context.getArgByIndex<FastifyRequest>(0);
    const reply = context.getArgByIndex<FastifyReply>(1);
    if (this.settings.authDisabled) return this.admitAnybody(request, reply, access);
    const principal = this.authenticate(request, reply, access);
    // A promise only where somebody has to be asked: most principals are known.
    return principal instanceof Promise ? principal.then((found) => admit(request, found, access)) : admit(request, principal, access);
  }

  private async admitAnybody(request: FastifyRequest, reply: FastifyReply, access: Access): Promise<boolean> {
    request.user = await this.noAuthentication.admit(request);
    // What is about a key asks for one all the same.
    return access.apiKeyOnly ? admit(request, await this.authenticate(request, reply, access), access) : true;
  }

  private authenticate(request: FastifyRequest, reply: FastifyReply, access: Access): Principal | Promise<Principal> {
    const credential = this.credentials.read(request);
    request.credential = credential;
    switch (credential.kind) {
      case 'api-key':
        // Read already, wherever it was; Passport would look for it again.
        return this.apiKeys.validate(credential.key);
      case 'access-token':
        if (access.apiKeyOnly) throw new AuthError('missing_credential', { detail: 'This route takes an API key.', ...wantedBy(access) });
        if (access.account && !this.cache.remembers) request.wantsAccount = true;
        return this.accessTokens.recognise(request) ?? verifyAccessToken(request, reply);
      case 'malformed':
        throw new AuthError('missing_credential', {
          reason: 'malformed',
          detail: 'Send Authorization: Bearer <token>.',
          ...wantedBy(access),
        });
      case 'none':
        throw new AuthError('missing_credential', wantedBy(access));
    }
  }

  private accessOf(context: ExecutionContext): Access {
    const handler = context.getHandler();
    const controller = context.getClass();
    let ofHandler = this.known.get(handler);
    if (ofHandler === undefined) this.known.set(handler, (ofHandler = new WeakMap<object, Access>()));
    let access = ofHandler.get(controller);
    if (access === undefined) ofHandler.set(controller, (access = mergeAccess(accessOn(controller), accessOn(handler))));
    return access;
  }
}

/** @throws AuthError `insufficient_role`, `insufficient_scope` */
function admit(request: FastifyRequest, principal: Principal, access: Access): true {
  request.user = principal;
  requireAccess(principal, access);
  return true;
}

function requireAccess(principal: Principal, access: Access): void {
  const { roles, scopes } = access;
  if (principal.type === 'api-key') {
    if (scopes === undefined && !access.apiKeyOnly) {
      throw new AuthError('insufficient_scope', { detail: 'This route is for signed-in people, not for API keys.' });
    }
    const { role } = principal;
    const missing = (scopes ?? []).filter(
      (scope) => !scopesCover(principal.scopes, scope) || (role !== null && !roleAllows(role, scope)),
    );
    if (missing.length > 0) throw new AuthError('insufficient_scope', { requiredScopes: missing });
    if (role !== null && !hasRole(role, roles)) throw new AuthError('insufficient_role');
    return;
  }
  if (!hasRole(principal.role, roles)) throw new AuthError('insufficient_role');
  if (scopes !== undefined && !scopes.every((scope) => roleAllows(principal.role, scope))) {
    throw new AuthError('insufficient_role');
  }
}

function wantedBy(access: Access): { wanted?: 'api-key' } {
  return access.apiKeyOnly ? { wanted: 'api-key' } : {};
}

function hasRole(role: Role, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || wanted.some((one) => roleIncludes(role, one as Role));
}
