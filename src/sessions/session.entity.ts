import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';

/**
 * One sign-in, until it ends. Every access and refresh token names its session; when the row says it is over, all of
 * them are. `refresh_counter` is the number in the one refresh token that is good.
 */
@Entity('sessions')
@Index('sessions_user_id_id_idx', ['userId', 'id'])
@Index('sessions_expires_at_idx', ['expiresAt'])
export class Session {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'sessions_pkey' })
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  // Named, not imported: users/ stands above sessions/.
  @ManyToOne('User', { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'sessions_user_id_fkey' })
  user?: Relation<object>;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3, default: () => 'now()' })
  lastUsedAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', name: 'revoked_at', precision: 3, nullable: true })
  revokedAt!: Date | null;

  /** Seconds that a refresh token lives; each rotation renews the session by as much. */
  @Column('integer', { name: 'refresh_ttl_seconds' })
  refreshTtlSeconds!: number;

  /** `false`: the refresh token stays the same and the session does not slide. */
  @Column('boolean', { default: true })
  rotating!: boolean;

  @Column('integer', { name: 'refresh_counter', default: 0 })
  refreshCounter!: number;

  /** When the counter last moved: the parent of the current refresh token is good for a moment after. */
  @Column({ type: 'timestamptz', name: 'rotated_at', precision: 3, nullable: true })
  rotatedAt!: Date | null;

  /** The dialect that the session was started through; `null` for the native API. */
  @Column('varchar', { length: 32, nullable: true })
  dialect!: string | null;

  @Column('varchar', { name: 'ip_address', length: 64, nullable: true })
  ipAddress!: string | null;

  @Column('varchar', { name: 'user_agent', length: 400, nullable: true })
  userAgent!: string | null;
}
