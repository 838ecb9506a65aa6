import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

/**
 * Consecutive failures of one counter: an account, an account as seen from a known device, an identifier that names
 * nobody, or the current password of a session.
 */
@Entity('login_attempts')
@Index('login_attempts_user_id_idx', ['userId'])
@Index('login_attempts_updated_at_idx', ['updatedAt'])
export class LoginAttempts {
  @PrimaryColumn('varchar', { length: 160, primaryKeyConstraintName: 'login_attempts_pkey' })
  subject!: string;

  @Column('uuid', { name: 'user_id', nullable: true })
  userId!: string | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'login_attempts_user_id_fkey' })
  user?: Relation<User> | null;

  @Column('integer')
  failures!: number;

  @Column({ type: 'timestamptz', name: 'locked_until', precision: 3, nullable: true })
  lockedUntil!: Date | null;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
