import type { DataSource } from 'typeorm';
import { afterId, type Page, pageOf, type PageQuery } from '../http/index.js';

/** How many deliveries were given up, and the time of the last. */
export async function countDead(dataSource: DataSource): Promise<{ dead: number; last: Date | null }> {
  const [row] = await dataSource.query<[{ dead: number; last: Date | null }]>(
    'SELECT count(*)::int AS dead, max(dead_at) AS last FROM webhook_deliveries WHERE dead_at IS NOT NULL',
  );
  return row;
}

/** A delivery that was given up. */
export interface DeadLetter {
  readonly id: string;
  readonly eventId: string;
  readonly action: string;
  /** Which of the URLs, by its hash. */
  readonly endpoint: string;
  readonly attempts: number;
  readonly deadAt: Date;
  readonly lastError: string | null;
}

/** The deliveries that were given up, in the order of their ids, the last first. */
export async function findDead(dataSource: DataSource, page: PageQuery): Promise<Page<DeadLetter>> {
  const rows = await dataSource.query<DeadLetter[]>(
    `SELECT d.id, d.event_id AS "eventId", e.action, d.endpoint, d.attempts, d.dead_at AS "deadAt", d.last_error AS "lastError"
       FROM webhook_deliveries d JOIN audit_events e ON e.id = d.event_id
      WHERE d.dead_at IS NOT NULL AND ($1::uuid IS NULL OR d.id < $1) ORDER BY d.id DESC LIMIT $2`,
    [afterId(page) ?? null, page.limit + 1],
  );
  return pageOf(rows, page.limit);
}

/**
 * Begins again with deliveries that were given up: the servers attempt them as if they were new.
 * @param ids which; all without it
 * @returns how many those are
 */
export async function retryDead(dataSource: DataSource, ids?: readonly string[]): Promise<number> {
  const [, count] = await dataSource.query<[unknown, number]>(
    `UPDATE webhook_deliveries SET dead_at = NULL, attempts = 0, next_attempt_at = now()
      WHERE dead_at IS NOT NULL AND ($1::uuid[] IS NULL OR id = ANY($1))`,
    [ids ?? null],
  );
  return count;
}
