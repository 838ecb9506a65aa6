import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { ApiKey } from '../api-keys/index.js';
import { AgentInstance } from './agent-instance.entity.js';

/** An agent that is connected to some process, as long as that process renews its lease. */
@Entity('agent_connections')
@Index('agent_connections_api_key_id_idx', ['apiKeyId'])
@Index('agent_connections_instance_id_idx', ['instanceId'])
export class AgentConnection {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'agent_connections_pkey' })
  id!: string;

  @Column('uuid', { name: 'api_key_id' })
  apiKeyId!: string;

  @ManyToOne(() => ApiKey, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'api_key_id', foreignKeyConstraintName: 'agent_connections_api_key_id_fkey' })
  apiKey?: Relation<ApiKey>;

  /** `null`: a process of a version that renews each connection by itself. */
  @Column('uuid', { name: 'instance_id', nullable: true })
  instanceId!: string | null;

  @ManyToOne(() => AgentInstance, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'instance_id', foreignKeyConstraintName: 'agent_connections_instance_id_fkey' })
  instance?: Relation<AgentInstance> | null;

  /** Of such a process alone; for the others `infinity`, so that it takes them for alive. */
  @Column({ type: 'timestamptz', name: 'seen_at', precision: 3, default: () => 'now()' })
  seenAt!: Date;
}
