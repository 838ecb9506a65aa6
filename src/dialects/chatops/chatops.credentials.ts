import { type CredentialReader, nativeCredentialReader, readBearer } from '../../auth/index.js';
import type { CredentialSettings } from '../dialect.js';

/** The routes that are about a key. */
const FOR_KEYS = ['/api/v1/api-keys/me', '/api/v1/agents/ws'];

/** The native way, but that a client which sends its key and its token everywhere is taken for its person, save where a key is asked for. */
export function chatopsCredentials({ apiKeyPrefix }: CredentialSettings): CredentialReader {
  const native = nativeCredentialReader(apiKeyPrefix);
  return (request) => {
    if (request.headers['x-api-key'] !== undefined && !FOR_KEYS.includes(request.routeOptions.url ?? '')) {
      const bearer = readBearer(request);
      if (bearer.kind === 'access-token') return bearer;
    }
    return native(request);
  };
}
