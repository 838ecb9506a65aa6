import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A step of the set-up that is done, once for all instances. */
@Entity('setup_milestones')
export class SetupMilestone {
  @PrimaryColumn('varchar', { length: 32, primaryKeyConstraintName: 'setup_milestones_pkey' })
  name!: string;

  @Column({ type: 'timestamptz', name: 'reached_at', precision: 3, default: () => 'now()' })
  reachedAt!: Date;
}
