import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One security event. Rows are only ever added; they point at people and keys by id, and outlive them. */
@Entity('audit_events')
@Index('audit_events_at_idx', ['at'])
@Index('audit_events_action_id_idx', ['action', 'id'])
@Index('audit_events_actor_id_id_idx', ['actorId', 'id'])
@Index('audit_events_subject_id_id_idx', ['subjectId', 'id'])
@Index('audit_events_session_id_id_idx', ['sessionId', 'id'], { where: 'session_id IS NOT NULL' })
export class AuditEvent {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'audit_events_pkey' })
  id!: string;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  at!: Date;

  @Column('varchar', { length: 64 })
  action!: string;

  @Column('varchar', { length: 16 })
  outcome!: 'success' | 'failure';

  @Column('varchar', { name: 'actor_type', length: 16, nullable: true })
  actorType!: string | null;

  @Column('uuid', { name: 'actor_id', nullable: true })
  actorId!: string | null;

  @Column('varchar', { name: 'subject_type', length: 16, nullable: true })
  subjectType!: string | null;

  @Column('uuid', { name: 'subject_id', nullable: true })
  subjectId!: string | null;

  /** The session that it was done in, or that it is about. */
  @Column('uuid', { name: 'session_id', nullable: true })
  sessionId!: string | null;

  @Column('varchar', { name: 'ip_address', length: 64, nullable: true })
  ipAddress!: string | null;

  @Column('varchar', { name: 'user_agent', length: 400, nullable: true })
  userAgent!: string | null;

  @Column('varchar', { name: 'request_id', length: 128, nullable: true })
  requestId!: string | null;

  @Column('jsonb', { nullable: true })
  detail!: Record<string, unknown> | null;
}
