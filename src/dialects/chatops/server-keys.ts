import { Injectable } from '@nestjs/common';
import type { ApiKeyPrincipal, Principal, UserPrincipal } from '../../access/index.js';
import { CONNECT_SCOPE } from '../../agents/index.js';
import { type ApiKey, ApiKeysService, type IssuedApiKey, resourceOf } from '../../api-keys/index.js';
import { AuthError } from '../../errors/index.js';
import type { Client } from '../../http/index.js';
import { bindingOf, type Server, ServersService } from './servers/index.js';

const KEYS_A_PAGE = 200;

/** The API keys of servers: each is bound to one, and good for its agent to connect. */
@Injectable()
export class ServerKeys {
  constructor(
    private readonly apiKeys: ApiKeysService,
    private readonly servers: ServersService,
  ) {}

  /** @throws AuthError `not_found` when there is no such server */
  create(
    principal: UserPrincipal,
    { serverId, name, expiresAt }: { serverId: string; name: string; expiresAt: Date | null },
    client: Client,
  ): Promise<IssuedApiKey> {
    const request = { name, expiresAt, scopes: [CONNECT_SCOPE], resource: bindingOf(serverId) };
    return this.apiKeys.create(principal, request, client, (manager) => this.servers.hold(manager, principal.userId, serverId));
  }

  /** The keys of a server, newest first. @throws AuthError `not_found` when there is no such server */
  async find(principal: UserPrincipal, serverId: string): Promise<ApiKey[]> {
    await this.servers.getView(principal.userId, serverId);
    const found: ApiKey[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const query = { limit: KEYS_A_PAGE, ...(cursor === undefined ? {} : { cursor }) };
      const page = await this.apiKeys.find(principal, { own: true }, query, bindingOf(serverId));
      found.push(...page.items);
      cursor = page.nextCursor;
    }
    return found;
  }

  /** Ends a key, which stays in the list. @throws AuthError `not_found` */
  async deactivate(principal: UserPrincipal, id: string, client: Client): Promise<ApiKey> {
    await this.get(principal, id);
    await this.apiKeys.revoke(principal, id, client);
    return this.get(principal, id);
  }

  /** Ends a key for good. @throws AuthError `not_found` */
  async remove(principal: UserPrincipal, id: string, client: Client): Promise<void> {
    await this.get(principal, id);
    await this.apiKeys.remove(principal, id, client);
  }

  /** The key in use and its server. @throws AuthError `invalid_api_key` when it is not a server's */
  async getCurrent(principal: Principal): Promise<{ apiKey: ApiKey; server: Server }> {
    const apiKey = await this.apiKeys.getCurrent(principal);
    return { apiKey, server: await this.serverOf(apiKey.userId, resourceOf(apiKey)) };
  }

  /** The server that a key is bound to. @throws AuthError `invalid_api_key` when there is none */
  async serverOf(userId: string | null, resource: ApiKeyPrincipal['resource']): Promise<Server> {
    const server = await this.servers.findBound(userId, resource);
    if (server === null) throw new AuthError('invalid_api_key', { detail: 'API key is not bound to a server' });
    return server;
  }

  /** A server's key of one's own: administrators do not see those of others here either. */
  private async get(principal: UserPrincipal, id: string): Promise<ApiKey> {
    const apiKey = await this.apiKeys.get(principal, id).catch(namingTheKey);
    const isOwn = apiKey.userId === principal.userId;
    if (!isOwn || (await this.servers.findBound(apiKey.userId, resourceOf(apiKey))) === null) throw noKey();
    return apiKey;
  }
}

function namingTheKey(error: unknown): never {
  throw error instanceof AuthError && error.code === 'not_found' ? noKey() : error;
}

function noKey(): AuthError {
  return new AuthError('not_found', { detail: 'API key not found' });
}
