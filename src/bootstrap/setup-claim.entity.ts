import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../users/index.js';

/**
 * A one-time token. One for the set-up lets its bearer become the first owner; several instances may each have printed
 * one. One for the recovery gives its bearer an owner's account back, or makes an owner where none can sign in.
 */
@Entity('setup_claims')
@Check('setup_claims_purpose_check', "purpose IN ('setup', 'recovery')")
export class SetupClaim {
  @PrimaryColumn('bytea', { name: 'token_hash', primaryKeyConstraintName: 'setup_claims_pkey' })
  tokenHash!: Buffer;

  @Column('varchar', { length: 16, default: 'setup' })
  purpose!: 'setup' | 'recovery';

  /** Whose account it gives back; `null`: it makes a new one. */
  @Column('uuid', { name: 'user_id', nullable: true })
  userId!: string | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'setup_claims_user_id_fkey' })
  user?: Relation<User> | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;
}
