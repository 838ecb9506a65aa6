import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * A process that agents are connected to. The row is a lease: the process renews it, so that what a crashed one left
 * behind soon counts for nothing.
 */
@Entity('agent_instances')
export class AgentInstance {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'agent_instances_pkey' })
  id!: string;

  @Column({ type: 'timestamptz', name: 'seen_at', precision: 3, default: () => 'now()' })
  seenAt!: Date;
}
