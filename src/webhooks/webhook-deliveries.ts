import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { AuditEvent } from '../audit/index.js';
import { WebhookDelivery } from './webhook-delivery.entity.js';

/** Who has claimed a delivery has so long to say what became of it; then it is anybody's again. */
const LEASE = "interval '60 seconds'";
/** Seconds until the next attempt, by how many there have been: eight attempts in some 21 hours. */
const PAUSES = [10, 60, 300, 1_800, 7_200, 21_600, 43_200];

/** A delivery that is this process's to attempt. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly endpoint: string;
  /** This one included. */
  readonly attempts: number;
  readonly event: AuditEvent;
}

/** The deliveries that are to be made, were made, or were given up: in PostgreSQL, for all instances together. */
@Injectable()
export class WebhookDeliveries {
  constructor(@InjectRepository(WebhookDelivery) private readonly deliveries: Repository<WebhookDelivery>) {}

  /** Takes up to so many that are due, longest due first; nobody else gets them for a minute. */
  async claim(most: number): Promise<ClaimedDelivery[]> {
    const [rows] = await this.deliveries.manager.query<[{ id: string; event_id: string; endpoint: string; attempts: number }[], number]>(
      `UPDATE webhook_deliveries SET attempts = attempts + 1, next_attempt_at = now() + ${LEASE}
        WHERE id = ANY (ARRAY(
          SELECT id FROM webhook_deliveries WHERE next_attempt_at <= now() AND delivered_at IS NULL AND dead_at IS NULL
           ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED))
        RETURNING id, event_id, endpoint, attempts`,
      [most],
    );
    const events = await this.deliveries.manager.findBy(AuditEvent, { id: In(rows.map(({ event_id: id }) => id)) });
    const byId = new Map(events.map((event) => [event.id, event]));
    return rows.flatMap(({ id, event_id: eventId, endpoint, attempts }) => {
      const event = byId.get(eventId);
      return event === undefined ? [] : [{ id, endpoint, attempts, event }];
    });
  }

  /** It has arrived. */
  async succeed({ id }: ClaimedDelivery): Promise<void> {
    await this.deliveries.query('UPDATE webhook_deliveries SET delivered_at = now(), last_error = NULL WHERE id = $1', [id]);
  }

  /** It has not: it is due again later, or given up after the last attempt. */
  async fail({ id, attempts }: ClaimedDelivery, error: string): Promise<void> {
    const pause = PAUSES[attempts - 1];
    if (pause === undefined) return this.giveUp(id, error);
    // Not all that failed together come again together.
    const jittered = pause * (0.8 + Math.random() * 0.4);
    await this.deliveries.query(
      'UPDATE webhook_deliveries SET next_attempt_at = now() + make_interval(secs => $2), last_error = $3 WHERE id = $1',
      [id, jittered, error],
    );
  }

  /** No more attempts are made, unless somebody asks for them. */
  async giveUp(id: string, error: string): Promise<void> {
    await this.deliveries.query('UPDATE webhook_deliveries SET dead_at = now(), last_error = $2 WHERE id = $1', [id, error]);
  }
}
