import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { ApiKey } from '../api-keys/index.js';

/**
 * An agent that is connected to some instance. The row is a lease: the instance renews it, so that what a crashed one
 * left behind soon counts for nothing.
 */
@Entity('agent_connections')
@Index('agent_connections_api_key_id_idx', ['apiKeyId'])
export class AgentConnection {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'agent_connections_pkey' })
  id!: string;

  @Column('uuid', { name: 'api_key_id' })
  apiKeyId!: string;

  @ManyToOne(() => ApiKey, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'api_key_id', foreignKeyConstraintName: 'agent_connections_api_key_id_fkey' })
  apiKey?: Relation<ApiKey>;

  @Column({ type: 'timestamptz', name: 'seen_at', precision: 3, default: () => 'now()' })
  seenAt!: Date;
}
