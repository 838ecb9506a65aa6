import type { MigrationInterface, QueryRunner } from 'typeorm';
import { buildIndex } from './concurrent-index.js';

/** The session that an event happened in, and what is still to be told to web hooks. */
export class AuditSessionsAndWebhooks20261107000000 implements MigrationInterface {
  readonly name = 'AuditSessionsAndWebhooks20261107000000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    // What comes in one query is done together or not at all; interrupted after that, all of it can be done again.
    await queryRunner.query(`
      ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS session_id uuid;
      CREATE TABLE IF NOT EXISTS webhook_deliveries (
        id uuid NOT NULL,
        event_id uuid NOT NULL,
        endpoint varchar(16) NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz(3) NOT NULL DEFAULT now(),
        delivered_at timestamptz(3),
        dead_at timestamptz(3),
        last_error varchar(200),
        CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id),
        CONSTRAINT webhook_deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES audit_events (id) ON DELETE CASCADE
      );
      CREATE INDEX IF NOT EXISTS webhook_deliveries_event_id_idx ON webhook_deliveries (event_id);
      CREATE INDEX IF NOT EXISTS webhook_deliveries_endpoint_next_attempt_at_idx ON webhook_deliveries (endpoint, next_attempt_at)
        WHERE delivered_at IS NULL AND dead_at IS NULL;
      CREATE INDEX IF NOT EXISTS webhook_deliveries_delivered_at_idx ON webhook_deliveries (delivered_at) WHERE delivered_at IS NOT NULL;
      CREATE INDEX IF NOT EXISTS webhook_deliveries_dead_at_idx ON webhook_deliveries (dead_at) WHERE dead_at IS NOT NULL;
    `);
    await buildIndex(queryRunner, 'audit_events_session_id_id_idx', 'audit_events (session_id, id) WHERE session_id IS NOT NULL');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE webhook_deliveries; ALTER TABLE audit_events DROP COLUMN session_id');
  }
}
