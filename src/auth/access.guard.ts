import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { type Access, accessOn, mergeAccess, type Principal, roleAllows, roleIncludes, type Role, scopesCover } from '../access/index.js';
import { Settings } from '../config/index.js';
import { AuthError } from '../errors/index.js';
import { API_KEY_HEADER } from './api-key.strategy.js';
import { type Credential, CredentialReaders } from './credential.js';
import { NoAuthentication } from './no-authentication.js';

/** Verifies the access token that was found in a request. */
export class AccessTokenGuard extends AuthGuard('jwt') {
  override handleRequest<P>(error: unknown, principal: P | false, info: unknown): P {
    if (error instanceof Error) throw error;
    if (principal !== false) return principal;
    const expired = info instanceof Error && info.name === 'TokenExpiredError';
    throw new AuthError('invalid_token', expired ? { reason: 'expired' } : {});
  }
}

class ApiKeyGuard extends AuthGuard('api-key') {
  override handleRequest<P>(error: unknown, principal: P | false): P {
    if (error instanceof Error) throw error;
    if (principal === false) throw new AuthError('invalid_api_key');
    return principal;
  }
}

/**
 * Guards every route. Denies by default: a route without a decorator is for signed-in people alone, and only
 * `@Public()` opens one to everybody.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly accessTokens = new AccessTokenGuard();
  private readonly apiKeys = new ApiKeyGuard();
  private readonly known = new WeakMap<object, WeakMap<object, Access>>();

  constructor(
    private readonly settings: Settings,
    private readonly credentials: CredentialReaders,
    private readonly noAuthentication: NoAuthentication,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const access = this.accessOf(context);
    return access.public ? true : this.admit(context, access);
  }

  private async admit(context: ExecutionContext, access: Access): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (this.settings.authDisabled) {
      if (access.apiKeyOnly) throw new AuthError('missing_credential', { detail: 'This route takes an API key.' });
      request.user = await this.noAuthentication.admit(request);
      return true;
    }
    await this.authenticate(context, request, this.credentials.read(request), access);
    if (request.user === undefined) throw new AuthError('missing_credential');
    requireAccess(request.user, access);
    return true;
  }

  private async authenticate(
    context: ExecutionContext,
    request: FastifyRequest,
    credential: Credential,
    access: Access,
  ): Promise<void> {
    request.credential = credential;
    switch (credential.kind) {
      case 'api-key':
        request.headers[API_KEY_HEADER] = credential.key;
        await this.apiKeys.canActivate(context);
        return;
      case 'access-token':
        if (access.apiKeyOnly) throw new AuthError('missing_credential', { detail: 'This route takes an API key.', ...wantedBy(access) });
        await this.accessTokens.canActivate(context);
        return;
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
