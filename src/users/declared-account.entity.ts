import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

/**
 * An account that nobody made by hand. The one of `ADMIN_EMAIL` and `ADMIN_PASSWORD`, with the values it was last matched
 * to: a start writes only when the variables changed, not when the person behind the account changed their password
 * since. And the one that a first start seeded.
 */
@Entity('declared_accounts')
export class DeclaredAccount {
  @PrimaryColumn('varchar', { length: 32, primaryKeyConstraintName: 'declared_accounts_pkey' })
  name!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'declared_accounts_user_id_fkey' })
  user?: Relation<User>;

  @Column('varchar', { length: 320 })
  email!: string;

  @Column('text', { name: 'password_hash' })
  passwordHash!: string;
}
