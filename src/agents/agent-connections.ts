import { Injectable, Logger } from '@nestjs/common';
import { v4 as uuidv4 } from 'uuid';
import type { ApiKeyPrincipal, ResourceBinding } from '../access/index.js';
import { RepeatedFault } from '../database/index.js';
import { Metrics } from '../metrics/index.js';
import { type AgentSocket, CLOSE } from './agent-socket.js';
import { ConnectionRows } from './connection-rows.js';
import { KeyWatch, type Watched } from './key-watch.js';
import { Rounds } from './rounds.js';

/** A key that ends closes its connections this much later, and the time that one query takes. */
const CHECK_EVERY_MS = 300;
/** Without an answer from PostgreSQL for so long nobody knows which keys are good: all are asked to come again. */
const LONGEST_UNCHECKED_MS = 5_000;
/** A key that nothing seems to have happened to is looked at all the same; that it is in use is noted on the way. */
const CHECK_ALL_EVERY_MS = 5 * 60_000;
const RENEW_EVERY_MS = 5_000;
/** How often those are told who want to know what is connected. */
const TELL_EVERY_MS = 60_000;

/** What an agent's key is bound to, and whose key it is. */
export interface ConnectedResource {
  readonly id: string;
  readonly userId: string;
}

interface Connection extends Watched {
  readonly id: string;
  readonly resource: ResourceBinding | null;
  readonly socket: AgentSocket;
}

/**
 * The agents that are connected: to this process, whose connections end within a second when their keys do, and to all
 * of them, for whoever wants to know what is online.
 */
@Injectable()
export class AgentConnections {
  private readonly logger = new Logger(AgentConnections.name);
  private readonly fault = new RepeatedFault((error) => {
    this.logger.warn(`The connections of agents could not be kept up to date: ${String(error)}`);
  });
  private readonly connections = new Set<Connection>();
  /** Those that are gone, until PostgreSQL has been told. */
  private readonly left = new Set<Connection>();
  private readonly checks = new Rounds(this.connections, CHECK_ALL_EVERY_MS);
  private readonly tellings = new Rounds(this.connections, TELL_EVERY_MS);
  private readonly watchers = new Map<string, (resources: ConnectedResource[]) => Promise<void>>();
  private timer: NodeJS.Timeout | null = null;
  private checkedAt = 0;
  private renewedAt = 0;
  private checking = false;
  private renewing = false;
  private clearing: Promise<void> | null = null;
  private ending = false;

  constructor(
    private readonly rows: ConnectionRows,
    private readonly keys: KeyWatch,
    metrics: Metrics,
  ) {
    metrics.gauge({ name: 'gatehouse_agents_connected', help: 'Agents that are connected to this instance.' }, () => this.connections.size);
  }

  /** Which of a user's resources have an agent connected at this moment, to whichever process. */
  findConnected(userId: string, resourceType: string, ids: readonly string[]): Promise<Set<string>> {
    return this.rows.findConnected(userId, resourceType, ids);
  }

  /** Has somebody told which resources of a type have an agent here: when one comes or goes, and about once a minute. */
  whenSeen(resourceType: string, seen: (resources: ConnectedResource[]) => Promise<void>): void {
    this.watchers.set(resourceType, seen);
  }

  /**
   * Counts a connection in, until it is closed.
   * @throws QueryFailedError when the key is gone or PostgreSQL is away
   */
  async add(socket: AgentSocket, { apiKeyId, userId, resource }: ApiKeyPrincipal): Promise<void> {
    const connection: Connection = { id: uuidv4(), apiKeyId, userId, resource, socket, endsAt: null };
    this.connections.add(connection);
    this.start();
    void socket.closed.then(() => this.remove(connection));
    await this.rows.add(connection);
    // Closed while the row was being written: its removal may have come too early.
    if (!this.connections.has(connection)) await this.remove(connection);
    await this.tell([connection]);
  }

  /** No longer removes connections one by one as they are closed: all are about to be. */
  beginEnd(): void {
    this.ending = true;
    this.stop();
  }

  /** Forgets all connections, which are closed. */
  async end(): Promise<void> {
    await this.clearing;
    await this.tell([...this.left]);
    await this.attempt(() => this.rows.release());
  }

  private async remove(connection: Connection): Promise<void> {
    this.connections.delete(connection);
    this.left.add(connection);
    if (this.ending) return;
    if (this.connections.size === 0) {
      this.stop();
      await this.attempt(() => this.rows.release());
    }
    await this.clearUp();
  }

  private start(): void {
    if (this.timer !== null || this.ending) return;
    this.checkedAt = this.renewedAt = performance.now();
    this.keys.reset();
    this.timer = setInterval(() => { this.tick(); }, CHECK_EVERY_MS).unref();
  }

  private stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private tick(): void {
    const now = performance.now();
    if (now - this.checkedAt > LONGEST_UNCHECKED_MS) {
      for (const { socket } of this.connections) socket.close(CLOSE.tryAgainLater, 'Try again later');
    }
    if (!this.checking) {
      this.checking = true;
      void this.attempt(() => this.check(now)).finally(() => { this.checking = false; });
    }
    if (!this.renewing && now - this.renewedAt >= RENEW_EVERY_MS) {
      this.renewing = true;
      void this.attempt(() => this.renew(now)).finally(() => { this.renewing = false; });
    }
  }

  /** Closes the connections whose key is not good any more, or may not connect any more. */
  private async check(now: number): Promise<void> {
    const turns = this.checks.next(CHECK_EVERY_MS);
    for (const { socket } of await this.keys.findEnded(this.connections, turns)) {
      socket.close(CLOSE.policy, 'The API key is no longer good');
    }
    this.checkedAt = now;
  }

  private async renew(now: number): Promise<void> {
    const turns = this.tellings.next(now - this.renewedAt);
    this.renewedAt = now;
    await this.rows.renew(() => [...this.connections]);
    await this.tell(turns);
    await this.clearUp();
  }

  /** One statement at a time: those that leave meanwhile go together. */
  private clearUp(): Promise<void> {
    return (this.clearing ??= this.attempt(async () => {
      while (this.left.size > 0 && !this.ending) {
        const left = [...this.left];
        await this.tell(left);
        await this.rows.remove(left.map(({ id }) => id));
        for (const connection of left) this.left.delete(connection);
      }
    }).finally(() => { this.clearing = null; }));
  }

  private async tell(connections: readonly Connection[]): Promise<void> {
    for (const [type, seen] of this.watchers) {
      const resources = connections.flatMap(({ resource, userId }) =>
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
