import { isIP } from 'node:net';
import { ValidateBy } from 'class-validator';
import { isEmailAddress, isScope, isUsername } from './names.js';

/** What class-validator has no decorator for, each as a decorator of its own. */
const passes = (name: string, validate: (value: string) => boolean, each = false): PropertyDecorator =>
  ValidateBy({ name, validator: { validate: (value) => typeof value === 'string' && validate(value) } }, { each });

/** An address or a host name that one can listen on; no scheme, no port. */
export const IsListenHost = (): PropertyDecorator => passes('isListenHost', (value) =>
  isIP(value) !== 0 || (value.length <= 253 && /^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z]([a-z0-9_-]*[a-z0-9_])?$/i.test(value)));

/** Whether the driver will be able to read a connection string, the escapes in its password included. */
export function isPostgresUrl(value: string): boolean {
  if (!/^postgres(ql)?:\/\/./.test(value)) return false;
  try {
    // The driver takes an empty host after credentials (a Unix socket, ?host=/run/postgresql); WHATWG's URL does not.
    const url = new URL(value.replace('@/', '@localhost/'));
    decodeURIComponent(`${url.username}${url.password}${url.pathname}`);
    return true;
  } catch {
    return false;
  }
}

export const IsPostgresUrl = (): PropertyDecorator => passes('isPostgresUrl', isPostgresUrl);

/** A URL of one Redis server, the escapes in its password and the number of its database included. */
export const IsRedisUrl = (): PropertyDecorator => passes('isRedisUrl', (value) => {
  if (!/^rediss?:\/\/./.test(value)) return false;
  try {
    const { username, password, hostname, pathname } = new URL(value);
    decodeURIComponent(`${username}${password}`);
    return hostname !== '' && /^(\/\d{0,4})?$/.test(pathname);
  } catch {
    return false;
  }
});

/** A secret that somebody meant to replace, or that repeats itself, is no secret whatever its length. */
export const IsNoPlaceholder = (): PropertyDecorator => passes('isNoPlaceholder', (value) =>
  !/change[\W_]*(me|this)|replace[\W_]*(me|this)|your[\W_]*(jwt[\W_]*)?secret|placeholder/i.test(value)
  && new Set(value).size >= 8
  && !/^(.{1,16})\1+$/su.test(value));

/** Where a server may be told of something: no credentials that a log of the receiver would show, nothing for a browser alone. */
export const AreWebhookUrls = (): PropertyDecorator => passes('areWebhookUrls', (value) => {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return false;
  const { username, password, hash } = new URL(value);
  return username === '' && password === '' && hash === '';
}, true);

/** An email address, a username, scopes: what a request may have in these places. */
export const IsEmailAddress = (): PropertyDecorator => passes('isEmailAddress', isEmailAddress);
export const IsUsername = (): PropertyDecorator => passes('isUsername', isUsername);
export const AreScopes = (): PropertyDecorator => passes('areScopes', isScope, true);

/** Exactly what a browser sends as `Origin`: lower case, no path, no default port. */
export const AreOrigins = (): PropertyDecorator => passes('areOrigins', (value) => {
  if (/^https?:/.test(value)) return URL.canParse(value) && new URL(value).origin === value;
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(:\d{1,5})?$/.test(value);
}, true);

/** What `parseProxies` makes of a good value. */
export const IsTrustProxy = (): PropertyDecorator => ValidateBy({
  name: 'isTrustProxy',
  validator: {
    validate: (value) => {
      if (typeof value === 'number') return value >= 1 && value <= 32;
      return typeof value === 'boolean' || (Array.isArray(value) && value.length > 0 && value.every(isAddressRange));
    },
  },
});

function isAddressRange(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
