import type { Role } from './scopes.js';

/** A signed-in person. The role is the stored one at this moment, whatever the token says. */
export interface UserPrincipal {
  readonly type: 'user';
  readonly userId: string;
  /** `null` only where authentication is switched off: then there is no session. */
  readonly sessionId: string | null;
  readonly role: Role;
}

/** What an API key is bound to, such as one server of a product. */
export interface ResourceBinding {
  readonly type: string;
  readonly id: string;
}

/** A program with an API key. It may do what its scopes *and* its user's role allow at this moment. */
export interface ApiKeyPrincipal {
  readonly type: 'api-key';
  readonly apiKeyId: string;
  /** `null` for a key of the instance itself. */
  readonly userId: string | null;
  readonly role: Role | null;
  readonly scopes: readonly string[];
  readonly resource: ResourceBinding | null;
}

/** Who a request acts for. */
export type Principal = UserPrincipal | ApiKeyPrincipal;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the access guard on every route that is not public. */
    user?: Principal;
  }
}
