import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * A key, or a user, whose rights have changed: what an open connection has to be checked for. Written by triggers, kept
 * for a few minutes. The key or user may be gone already.
 */
@Entity('api_key_changes')
@Index('api_key_changes_transaction_id_idx', ['transactionId'])
@Index('api_key_changes_changed_at_idx', ['changedAt'])
export class ApiKeyChange {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT', primaryKeyConstraintName: 'api_key_changes_pkey' })
  id!: string;

  /** Which transaction it was (`pg_current_xact_id`): numbers that do not repeat, unlike a row's own `xmin`. */
  @Column('bigint', { name: 'transaction_id' })
  transactionId!: string;

  @Column('uuid', { name: 'api_key_id', nullable: true })
  apiKeyId!: string | null;

  @Column('uuid', { name: 'user_id', nullable: true })
  userId!: string | null;

  @Column({ type: 'timestamptz', name: 'changed_at', precision: 3 })
  changedAt!: Date;
}
