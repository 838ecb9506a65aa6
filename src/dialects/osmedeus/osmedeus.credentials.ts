import { type CredentialReader, readBearer } from '../../auth/index.js';
import type { CredentialSettings } from '../dialect.js';
import { readSessionCookie } from './session-cookie.js';

export const API_KEY_HEADER = 'x-osm-api-key';
/** The one place where a key does not count: there is nothing of it to end, and the token beside it is meant. */
const LOGOUT = '/osm/api/logout';

/** The API key if the header is there and switched on, then the bearer token, then the cookie. */
export function osmedeusCredentials({ enabledAuthApi }: CredentialSettings): CredentialReader {
  return (request) => {
    const key = request.headers[API_KEY_HEADER];
    if (enabledAuthApi && key !== undefined && request.routeOptions.url !== LOGOUT) return { kind: 'api-key', key: String(key) };
    const bearer = readBearer(request);
    if (bearer.kind !== 'none') return bearer;
    const token = readSessionCookie(request);
    return token === null ? bearer : { kind: 'access-token', token };
  };
}
