import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { AuditEvent } from '../audit/index.js';
import { WebhookDelivery } from './webhook-delivery.entity.js';

/** Who has claimed a delivery has so long to say what became of it; then it is anybody's again. */
const LEASE = "interval '60 seconds'";
/** Seconds until the next attempt, by how many there have been: eight attempts in some 21 hours. */
const PAUSES = [10, 60, 300, 1_800, 7_200, 21_600, 43_200];

/** A delivery ($1) that nobody has claimed since this attempt ($2). */
const MINE_STILL = 'id = $1 AND attempts = $2 AND delivered_at IS NULL';

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

  /** Takes up to so many of an endpoint's that are due, longest due first; nobody else gets them for a minute. */
  async claim(endpoint: string, most: number): Promise<ClaimedDelivery[]> {
    const [rows] = await this.deliveries.manager.query<[{ id: string; event_id: string; endpoint: string; attempts: number }[], number]>(
      `UPDATE webhook_deliveries SET attempts = attempts + 1, next_attempt_at = now() + ${LEASE}
        WHERE id = ANY (ARRAY(
          SELECT id FROM webhook_deliveries WHERE endpoint = $2 AND next_attempt_at <= now() AND delivered_at IS NULL AND dead_at IS NULL
           ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED))
        RETURNING id, event_id, endpoint, attempts`,
      [most, endpoint],
    );
    const events = await this.deliveries.manager.findBy(AuditEvent, { id: In(rows.map(({ event_id: id }) => id)) });
    const byId = new Map(events.map((event) => [event.id, event]));
    return rows.flatMap(({ id, event_id: eventId, endpoint, attempts }) => {
      const event = byId.get(eventId);
      return event === undefined ? [] : [{ id, endpoint, attempts, event }];
    });
  }

  /** It has arrived, whatever has become of it since it was claimed. */
  async succeed({ id }: ClaimedDelivery): Promise<void> {
    await this.deliveries.query('UPDATE webhook_deliveries SET delivered_at = now(), dead_at = NULL, last_error = NULL WHERE id = $1', [id]);
  }

  /**
   * It has not: it is due again later, or given up after the last attempt. Nothing is said of it where somebody else has
   * claimed it in the meantime.
   */
  async fail(delivery: ClaimedDelivery, error: string): Promise<void> {
    const { id, attempts } = delivery;
    const pause = PAUSES[attempts - 1];
    if (pause === undefined) return this.giveUp(delivery, error);
    // Not all that failed together come again together.
    const jittered = pause * (0.8 + Math.random() * 0.4);
    await this.deliveries.query(
      `UPDATE webhook_deliveries SET next_attempt_at = now() + make_interval(secs => $3), last_error = $4 WHERE ${MINE_STILL}`,
      [id, attempts, jittered, error],
    );
  }

  /** No more attempts are made, unless somebody asks for them. */
  async giveUp({ id, attempts }: ClaimedDelivery, error: string): Promise<void> {
    await this.deliveries.query(`UPDATE webhook_deliveries SET dead_at = now(), last_error = $3 WHERE ${MINE_STILL}`, [id, attempts, error]);
  }

  /**
   * Gives up what has been due for a day and nobody sends: its endpoint is in the settings of no instance any more.
   * @param known the endpoints that are in those of this one
   */
  async giveUpForgotten(known: readonly string[]): Promise<void> {
    await this.deliveries.query(
      `UPDATE webhook_deliveries SET dead_at = now(), last_error = 'this endpoint is no longer in WEBHOOK_URLS'
        WHERE delivered_at IS NULL AND dead_at IS NULL AND next_attempt_at < now() - interval '1 day' AND endpoint <> ALL($1)`,
      [known],
    );
  }
}
