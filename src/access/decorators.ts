import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Access, ACCESS_KEYS } from './access.js';
import type { Principal } from './principal.js';
import { isScope, type Role } from './scopes.js';

/**
 * One decorator both guards a route and documents it: what is written here is read by the access guard, and by
 * `documentAccess` for the OpenAPI document. The extension names the level, since a handler overrides its class.
 */
function access<Aspect extends keyof Access>(
  aspect: Aspect,
  value: NonNullable<Access[Aspect]>,
): MethodDecorator & ClassDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const level = descriptor === undefined ? 'class' : 'handler';
    const both = applyDecorators(
      SetMetadata(ACCESS_KEYS[aspect], value),
      // An extension is cloned by its type, and a bare `true` is no object.
      ApiExtension(`x-access-${level}-${aspect}`, { value }),
    );
    (both as (...args: unknown[]) => void)(target, key, descriptor);
  };
}

/** Opens a route to everyone. Credentials that come along are ignored. */
export const Public = (): MethodDecorator & ClassDecorator => access('public', true);

/** For signed-in people with one of these roles; `owner` includes `admin`, `admin` includes `member`. */
export const Roles = (...roles: [Role, ...Role[]]): MethodDecorator & ClassDecorator => access('roles', roles);

/**
 * Opens a route to API keys that have all of these scopes, and to signed-in people whose role may do them.
 * @throws Error at start when a scope is not of the form `resource:action`
 */
export const RequireScopes = (...scopes: [string, ...string[]]): MethodDecorator & ClassDecorator => {
  const wrong = scopes.find((scope) => !isScope(scope));
  if (wrong !== undefined) throw new Error(`@RequireScopes: "${wrong}" is not a scope; write resource:action`);
  return access('scopes', scopes);
};

/** For API keys alone, whatever their scopes: routes about the key itself. */
export const ApiKeyOnly = (): MethodDecorator & ClassDecorator => access('apiKeyOnly', true);

/** For routes that show the account of whoever is signed in: check and account take no more than one statement. */
export const WithAccount = (): MethodDecorator => access('account', true);

/** Who the request acts for. Not for public routes: there it is `undefined`. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal | undefined =>
    context.getArgByIndex<FastifyRequest>(0).user,
);
