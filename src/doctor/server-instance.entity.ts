import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A server process that runs on this database, as it says itself every half minute. */
@Entity('server_instances')
@Index('server_instances_seen_at_idx', ['seenAt'])
export class ServerInstance {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'server_instances_pkey' })
  id!: string;

  @Column({ type: 'timestamptz', name: 'started_at', precision: 3, default: () => 'now()' })
  startedAt!: Date;

  @Column({ type: 'timestamptz', name: 'seen_at', precision: 3, default: () => 'now()' })
  seenAt!: Date;

  @Column('integer', { name: 'database_pool_size' })
  databasePoolSize!: number;

  @Column('varchar', { name: 'principal_cache', length: 16 })
  principalCache!: string;

  /** Who sent `X-Forwarded-For` and is not among the proxies of `TRUST_PROXY`, if anybody has. */
  @Column('varchar', { name: 'forwarded_by', length: 64, nullable: true })
  forwardedBy!: string | null;

  /** Who came past one of the proxies that `TRUST_PROXY` counts, if anybody has. */
  @Column('varchar', { name: 'came_past_proxies', length: 64, nullable: true })
  camePastProxies!: string | null;
}
