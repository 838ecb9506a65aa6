import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { v4 as uuidv4 } from 'uuid';
import type { ApiKeyPrincipal } from '../access/index.js';
import { ApiKeysService } from '../api-keys/index.js';
import { RepeatedFault } from '../database/index.js';
import { Metrics } from '../metrics/index.js';
import { AgentConnection } from './agent-connection.entity.js';
import { mayConnect } from './agent-rights.js';
import { type AgentSocket, CLOSE } from './agent-socket.js';

/** A key that ends closes its connections this much later, and the time that one query takes. */
const CHECK_EVERY_MS = 300;
/** Without an answer from PostgreSQL for so long nobody knows which keys are good: all are asked to come again. */
const LONGEST_UNCHECKED_MS = 5_000;
const RENEW_EVERY_MS = 5_000;
/** A connection that was not renewed for so long went down with its instance. */
const LEASE = "interval '15 seconds'";

/** What an agent's key is bound to, and whose key it is. */
export interface ConnectedResource {
  readonly id: string;
  readonly userId: string;
}

interface Connection {
  readonly id: string;
  readonly principal: ApiKeyPrincipal;
  readonly socket: AgentSocket;
}

/**
 * The agents that are connected: to this instance, whose connections end within a second when their keys do, and to all
 * of them, for whoever wants to know what is online.
 */
@Injectable()
export class AgentConnections {
  private readonly logger = new Logger(AgentConnections.name);
  private readonly fault = new RepeatedFault((error) => {
    this.logger.warn(`The connections of agents could not be kept up to date: ${String(error)}`);
  });
  private readonly connections = new Map<string, Connection>();
  private readonly watchers = new Map<string, (resources: ConnectedResource[]) => Promise<void>>();
  /** Rows of connections that are gone, until PostgreSQL has been told. */
  private readonly gone = new Set<string>();
  private timer: NodeJS.Timeout | null = null;
  private checkedAt = 0;
  private renewedAt = 0;
  private checking = false;
  private renewing = false;

  constructor(
    @InjectRepository(AgentConnection) private readonly rows: Repository<AgentConnection>,
    private readonly apiKeys: ApiKeysService,
    metrics: Metrics,
  ) {
    metrics.gauge({ name: 'gatehouse_agents_connected', help: 'Agents that are connected to this instance.' }, () => this.connections.size);
  }

  /** Which of a user's resources have an agent connected at this moment, to whichever instance. */
  async findConnected(userId: string, resourceType: string, ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const found = await this.rows.manager.query<{ resource_id: string }[]>(
      `SELECT DISTINCT k.resource_id
         FROM api_keys k JOIN agent_connections c ON c.api_key_id = k.id AND c.seen_at > now() - ${LEASE}
        WHERE k.user_id = $1 AND k.resource_type = $2 AND k.resource_id = ANY($3) AND k.revoked_at IS NULL`,
      [userId, resourceType, ids],
    );
    return new Set(found.map((row) => row.resource_id));
  }

  /** Has somebody told, every few seconds, which resources of a type have an agent here, and when one comes or goes. */
  whenSeen(resourceType: string, seen: (resources: ConnectedResource[]) => Promise<void>): void {
    this.watchers.set(resourceType, seen);
  }

  /**
   * Counts a connection in, until it is closed.
   * @throws QueryFailedError when the key is gone or PostgreSQL is away
   */
  async add(socket: AgentSocket, principal: ApiKeyPrincipal): Promise<void> {
    const connection = { id: uuidv4(), principal, socket };
    this.connections.set(connection.id, connection);
    this.start();
    void socket.closed.then(() => this.remove(connection));
    await this.insert(connection);
    await this.tell([connection]);
  }

  /** Forgets what is gone, at the end. */
  async flush(): Promise<void> {
    this.stop();
    await this.deleteGone();
  }

  private async remove(connection: Connection): Promise<void> {
    this.connections.delete(connection.id);
    this.gone.add(connection.id);
    if (this.connections.size === 0) this.stop();
    await this.tell([connection]);
    await this.deleteGone();
  }

  private start(): void {
    if (this.timer !== null) return;
    this.checkedAt = this.renewedAt = performance.now();
    this.timer = setInterval(() => { this.tick(); }, CHECK_EVERY_MS).unref();
  }

  private stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private tick(): void {
    const now = performance.now();
    if (now - this.checkedAt > LONGEST_UNCHECKED_MS) {
      for (const { socket } of this.connections.values()) socket.close(CLOSE.tryAgainLater, 'Try again later');
    }
    if (!this.checking) {
      this.checking = true;
      void this.attempt(() => this.check()).finally(() => { this.checking = false; });
    }
    if (!this.renewing && now - this.renewedAt >= RENEW_EVERY_MS) {
      this.renewing = true;
      void this.attempt(() => this.renew()).finally(() => { this.renewing = false; });
    }
  }

  /** Closes the connections whose key is not good any more, or may not connect any more. */
  private async check(): Promise<void> {
    const connections = [...this.connections.values()];
    const askedAt = performance.now();
    const good = await this.apiKeys.findGood([...new Set(connections.map(({ principal }) => principal.apiKeyId))]);
    this.checkedAt = askedAt;
    for (const { principal, socket } of connections) {
      const now = good.get(principal.apiKeyId);
      if (now === undefined || !mayConnect(now)) socket.close(CLOSE.policy, 'The API key is no longer good');
    }
  }

  private async renew(): Promise<void> {
    this.renewedAt = performance.now();
    const connections = [...this.connections.values()];
    const [renewed] = await this.rows.manager.query<[{ id: string }[], number]>(
      'UPDATE agent_connections SET seen_at = now() WHERE id = ANY($1::uuid[]) RETURNING id',
      [connections.map(({ id }) => id)],
    );
    const known = new Set(renewed.map(({ id }) => id));
    // Somebody may have taken this instance for dead.
    const lost = connections.filter(({ id }) => !known.has(id) && this.connections.has(id));
    for (const connection of lost) await this.attempt(() => this.insert(connection));
    await this.tell(connections);
    await this.rows.manager.query("DELETE FROM agent_connections WHERE seen_at < now() - interval '1 minute'");
    await this.deleteGone();
  }

  private async insert({ id, principal }: Connection): Promise<void> {
    await this.rows.manager.query(
      'INSERT INTO agent_connections (id, api_key_id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING',
      [id, principal.apiKeyId],
    );
    // Closed while the row was being written: its removal may have come too early.
    if (!this.connections.has(id)) {
      this.gone.add(id);
      await this.deleteGone();
    }
  }

  private async deleteGone(): Promise<void> {
    const ids = [...this.gone];
    if (ids.length === 0) return;
    await this.attempt(async () => {
      await this.rows.manager.query('DELETE FROM agent_connections WHERE id = ANY($1::uuid[])', [ids]);
      for (const id of ids) this.gone.delete(id);
    });
  }

  private async tell(connections: readonly Connection[]): Promise<void> {
    for (const [type, seen] of this.watchers) {
      const resources = connections.flatMap(({ principal: { resource, userId } }) =>
        resource?.type === type && userId !== null ? [{ id: resource.id, userId }] : [],
      );
      if (resources.length > 0) await this.attempt(() => seen(resources));
    }
  }

  /** What fails here is tried again a moment later. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fault.occurred(error);
    }
  }
}
