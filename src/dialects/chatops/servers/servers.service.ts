import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import { v7 as uuidv7, validate as isUuid } from 'uuid';
import type { ResourceBinding, UserPrincipal } from '../../../access/index.js';
import { AgentConnections, type ConnectedResource } from '../../../agents/index.js';
import { ApiKeysService } from '../../../api-keys/index.js';
import { AuthError } from '../../../errors/index.js';
import type { Client } from '../../../http/index.js';
import { Server } from './server.entity.js';

/** What people say about a server. */
export type ServerFields = Pick<Server, 'name' | 'host' | 'port' | 'metadata'>;

/** A server, and whether an agent of it is connected at this moment. */
export interface ServerView {
  server: Server;
  online: boolean;
}

const RESOURCE_TYPE = 'server';

/** What an API key of a server is bound to. */
export function bindingOf(serverId: string): ResourceBinding {
  return { type: RESOURCE_TYPE, id: serverId };
}

/** People's servers. Everybody sees their own and no others. */
@Injectable()
export class ServersService implements OnModuleInit {
  constructor(
    @InjectRepository(Server) private readonly servers: Repository<Server>,
    private readonly apiKeys: ApiKeysService,
    private readonly agents: AgentConnections,
  ) {}

  onModuleInit(): void {
    this.agents.whenSeen(RESOURCE_TYPE, (resources) => this.touch(resources));
  }

  async create(ownerId: string, fields: ServerFields): Promise<ServerView> {
    const id = uuidv7();
    await this.servers.insert({ ...fields, id, ownerId } as never);
    return this.getView(ownerId, id);
  }

  /** A user's servers, newest first. */
  async find(ownerId: string): Promise<ServerView[]> {
    const servers = await this.servers.find({ where: { ownerId }, order: { id: 'DESC' } });
    const online = await this.agents.findConnected(ownerId, RESOURCE_TYPE, servers.map(({ id }) => id));
    return servers.map((server) => ({ server, online: online.has(server.id) }));
  }

  /** @throws AuthError `not_found` */
  async getView(ownerId: string, id: string): Promise<ServerView> {
    const server = await this.servers.findOneBy({ id, ownerId });
    if (server === null) throw noServer();
    return { server, online: (await this.agents.findConnected(ownerId, RESOURCE_TYPE, [id])).has(id) };
  }

  /** Changes what is given. @throws AuthError `not_found` */
  async update(ownerId: string, id: string, fields: Partial<ServerFields>): Promise<ServerView> {
    await this.servers.update({ id, ownerId }, { ...fields, updatedAt: () => 'now()' } as never);
    return this.getView(ownerId, id);
  }

  /** Deletes a server together with its keys, so that its agents are sent away. @throws AuthError `not_found` */
  async remove(principal: UserPrincipal, id: string, client: Client): Promise<void> {
    await this.apiKeys.removeBound(principal, bindingOf(id), client, async (manager) => {
      const { affected } = await manager.delete(Server, { id, ownerId: principal.userId });
      if (affected === 0) throw noServer();
    });
  }

  /** Keeps a server there until the transaction is over. @throws AuthError `not_found` */
  async hold(manager: EntityManager, ownerId: string, id: string): Promise<void> {
    const held = await manager.query<unknown[]>('SELECT 1 FROM chatops_servers WHERE id = $1 AND owner_id = $2 FOR KEY SHARE', [id, ownerId]);
    if (held.length === 0) throw noServer();
  }

  /**
   * The server that a user's key is bound to; `null` when there is none. Whose server it is counts: anybody can have a
   * key bound to any text.
   */
  async findBound(userId: string | null, resource: ResourceBinding | null): Promise<Server | null> {
    if (userId === null || resource?.type !== RESOURCE_TYPE || !isUuid(resource.id)) return null;
    return this.servers.findOneBy({ id: resource.id, ownerId: userId });
  }

  private async touch(resources: ConnectedResource[]): Promise<void> {
    const own = resources.filter(({ id }) => isUuid(id));
    await this.servers.manager.query(
      `UPDATE chatops_servers s SET last_seen_at = now()
         FROM unnest($1::uuid[], $2::uuid[]) AS seen (id, owner_id) WHERE s.id = seen.id AND s.owner_id = seen.owner_id`,
      [own.map(({ id }) => id), own.map(({ userId }) => userId)],
    );
  }
}

function noServer(): AuthError {
  return new AuthError('not_found', { detail: 'Server not found' });
}
