import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../../../users/index.js';

/** A machine that somebody looks after, and that its agent connects for. */
@Entity('chatops_servers')
@Index('chatops_servers_owner_id_id_idx', ['ownerId', 'id'])
export class Server {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'chatops_servers_pkey' })
  id!: string;

  @Column('uuid', { name: 'owner_id' })
  ownerId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'owner_id', foreignKeyConstraintName: 'chatops_servers_owner_id_fkey' })
  owner?: Relation<User>;

  @Column('varchar', { length: 200 })
  name!: string;

  @Column('varchar', { length: 255, nullable: true })
  host!: string | null;

  @Column('integer', { nullable: true })
  port!: number | null;

  @Column('jsonb', { default: {} })
  metadata!: Record<string, unknown>;

  /** When an agent was last connected; kept up to date while one is. */
  @Column({ type: 'timestamptz', name: 'last_seen_at', precision: 3, nullable: true })
  lastSeenAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
