import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { AuditEvent } from '../audit/index.js';

/** One event that is to be told to one endpoint, until it has been, or until it is given up (`dead_at`). */
@Entity('webhook_deliveries')
@Index('webhook_deliveries_event_id_idx', ['eventId'])
@Index('webhook_deliveries_endpoint_next_attempt_at_idx', ['endpoint', 'nextAttemptAt'], { where: 'delivered_at IS NULL AND dead_at IS NULL' })
@Index('webhook_deliveries_delivered_at_idx', ['deliveredAt'], { where: 'delivered_at IS NOT NULL' })
@Index('webhook_deliveries_dead_at_idx', ['deadAt'], { where: 'dead_at IS NOT NULL' })
export class WebhookDelivery {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'webhook_deliveries_pkey' })
  id!: string;

  @Column('uuid', { name: 'event_id' })
  eventId!: string;

  @ManyToOne(() => AuditEvent, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'event_id', foreignKeyConstraintName: 'webhook_deliveries_event_id_fkey' })
  event?: Relation<AuditEvent>;

  /** Which of the URLs, by its hash: the URL itself may hold a secret. */
  @Column('varchar', { length: 16 })
  endpoint!: string;

  @Column('integer', { default: 0 })
  attempts!: number;

  /** When it is due; while somebody is at it, when it is due again should that one never come back. */
  @Column({ type: 'timestamptz', name: 'next_attempt_at', precision: 3, default: () => 'now()' })
  nextAttemptAt!: Date;

  @Column({ type: 'timestamptz', name: 'delivered_at', precision: 3, nullable: true })
  deliveredAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'dead_at', precision: 3, nullable: true })
  deadAt!: Date | null;

  /** What went wrong the last time, in a few words of ours: never what the endpoint answered. */
  @Column('varchar', { name: 'last_error', length: 200, nullable: true })
  lastError!: string | null;
}
