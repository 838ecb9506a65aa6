import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A one-time token that lets its bearer become the owner; several instances may each have printed one. */
@Entity('setup_claims')
export class SetupClaim {
  @PrimaryColumn('bytea', { name: 'token_hash', primaryKeyConstraintName: 'setup_claims_pkey' })
  tokenHash!: Buffer;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;
}
