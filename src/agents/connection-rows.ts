import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { v4 as uuidv4 } from 'uuid';
import { AgentConnection } from './agent-connection.entity.js';

/** A connection that was not renewed for so long went down with its process. */
const LEASE = "interval '15 seconds'";
const BATCH = 1_000;

/** A connection as it is remembered for the other processes. */
export interface ConnectionRow {
  readonly id: string;
  readonly apiKeyId: string;
}

/** What all processes know of the agents that are connected: a row each, and one lease for all of a process. */
@Injectable()
export class ConnectionRows {
  private lease: { readonly id: string; readonly taken: Promise<unknown> } | null = null;
  /** Another process has removed the lease, and rows with it that are still to be written anew. */
  private lost = false;

  constructor(@InjectRepository(AgentConnection) private readonly rows: Repository<AgentConnection>) {}

  /** Which of a user's resources have an agent connected at this moment, to whichever process. */
  async findConnected(userId: string, resourceType: string, ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const found = await this.query<{ resource_id: string }[]>(
      `SELECT DISTINCT k.resource_id
         FROM api_keys k JOIN agent_connections c ON c.api_key_id = k.id LEFT JOIN agent_instances i ON i.id = c.instance_id
        WHERE k.user_id = $1 AND k.resource_type = $2 AND k.resource_id = ANY($3) AND k.revoked_at IS NULL
          AND coalesce(i.seen_at, c.seen_at) > now() - ${LEASE}`,
      [userId, resourceType, ids],
    );
    return new Set(found.map((row) => row.resource_id));
  }

  /** @throws QueryFailedError when the key is gone or PostgreSQL is away */
  async add(connection: ConnectionRow): Promise<void> {
    await this.insert(await this.takeLease(), [connection]);
  }

  /** Forgets connections that are gone. */
  async remove(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += BATCH) {
      await this.query('DELETE FROM agent_connections WHERE id = ANY($1::uuid[])', [ids.slice(at, at + BATCH)]);
    }
  }

  /**
   * Says that this process and its connections are still there, and removes those that are not.
   * @param connections asked for when another process has taken this one for dead, and all have to be written anew
   */
  async renew(connections: () => readonly ConnectionRow[]): Promise<void> {
    const id = await this.takeLease();
    const [, renewed] = await this.query<[unknown, number]>('UPDATE agent_instances SET seen_at = now() WHERE id = $1', [id]);
    // Released in the meantime, it is nobody's: who has connected since has another.
    if (renewed === 0 && this.lease?.id === id) this.lost = true;
    if (this.lost) {
      const all = connections();
      for (let at = 0; at < all.length; at += BATCH) await this.insert(id, all.slice(at, at + BATCH));
      // The removal of those that ended meanwhile may have come before the row.
      const still = new Set(connections().map((connection) => connection.id));
      await this.remove(all.map((connection) => connection.id).filter((known) => !still.has(known)));
      // Not before: what fails halfway is begun again.
      this.lost = false;
    }
    await this.query("DELETE FROM agent_instances WHERE seen_at < now() - interval '1 minute'");
  }

  /** Ends the lease, and with it whatever connections it has; whoever comes next gets another. */
  async release(): Promise<void> {
    const { lease } = this;
    this.lease = null;
    this.lost = false;
    if (lease !== null) await this.query('DELETE FROM agent_instances WHERE id = $1', [lease.id]);
  }

  private async takeLease(): Promise<string> {
    if (this.lease === null) {
      const id = uuidv4();
      this.lease = { id, taken: this.query('INSERT INTO agent_instances (id) VALUES ($1)', [id]) };
    }
    const { lease } = this;
    await lease.taken.catch((error: unknown) => {
      if (this.lease === lease) this.lease = null;
      throw error;
    });
    return lease.id;
  }

  /** With the lease, which another process may have removed. */
  private async insert(lease: string, connections: readonly ConnectionRow[]): Promise<void> {
    await this.query(
      `WITH lease AS (INSERT INTO agent_instances (id) VALUES ($1) ON CONFLICT (id) DO NOTHING)
       INSERT INTO agent_connections (id, api_key_id, instance_id, seen_at)
       SELECT made.id, made.api_key_id, $1, 'infinity' FROM unnest($2::uuid[], $3::uuid[]) AS made (id, api_key_id)
       ON CONFLICT (id) DO NOTHING`,
      [lease, connections.map(({ id }) => id), connections.map(({ apiKeyId }) => apiKeyId)],
    );
  }

  private query<T>(text: string, values: unknown[] = []): Promise<T> {
    return this.rows.manager.query<T>(text, values);
  }
}
