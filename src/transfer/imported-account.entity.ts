import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../users/index.js';

/**
 * What a file knew an account by from which it was imported: a second import of the file finds it there, whatever its
 * address is by now.
 */
@Entity('imported_accounts')
@Index('imported_accounts_user_id_idx', ['userId'])
export class ImportedAccount {
  /** The address, else the username, folded. */
  @PrimaryColumn('varchar', { length: 320, primaryKeyConstraintName: 'imported_accounts_pkey' })
  identifier!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'imported_accounts_user_id_fkey' })
  user?: Relation<User>;

  @Column({ type: 'timestamptz', name: 'imported_at', precision: 3, default: () => 'now()' })
  importedAt!: Date;
}
