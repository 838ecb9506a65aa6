/** What a route asks of its caller. All that is present must hold; nothing at all means: any signed-in user. */
export interface Access {
  readonly public?: true;
  /** Only API keys, whatever their scopes: for routes about the key itself. */
  readonly apiKeyOnly?: true;
  /** A person needs one of these, or a role that includes one. */
  readonly roles?: readonly string[];
  /** The route is about the account of whoever asks, which may be read together with the check (`FastifyRequest.account`). */
  readonly account?: true;
  /** A key needs all of these; a person needs a role that may do them all. */
  readonly scopes?: readonly string[];
}

/** Metadata keys, one an aspect, so that decorators on one target add up. */
export const ACCESS_KEYS = {
  public: 'gatehouse:access:public',
  apiKeyOnly: 'gatehouse:access:api-key-only',
  roles: 'gatehouse:access:roles',
  scopes: 'gatehouse:access:scopes',
  account: 'gatehouse:access:account',
} as const satisfies Record<keyof Access, string>;

/**
 * What holds for a handler: what it says itself wins over its class, aspect by aspect. A handler that is public is
 * nothing else; a handler that asks for anything is no longer public through its class.
 */
export function mergeAccess(ofClass: Access, ofHandler: Access): Access {
  if (ofHandler.public) return { public: true };
  if (Object.keys(ofHandler).length === 0) return ofClass;
  const { public: _, ...rest } = ofClass;
  return { ...rest, ...ofHandler };
}

/** Reads the access that decorators wrote on one target (a class or a handler). */
export function accessOn(target: object): Access {
  const found: Record<string, unknown> = {};
  for (const [aspect, key] of Object.entries(ACCESS_KEYS)) {
    const value: unknown = Reflect.getMetadata(key, target);
    if (value !== undefined) found[aspect] = value;
  }
  return found;
}
