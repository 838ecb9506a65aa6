import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import type { Role } from '../access/index.js';

/** A person. Signs in with the email or the username, whichever there is; both are compared folded. */
@Entity('users')
@Unique('users_email_key', ['emailFolded'])
@Unique('users_username_key', ['usernameFolded'])
@Index('users_owners_idx', ['id'], { where: "role = 'owner'" })
// On expressions, which only the migration can say.
@Index('users_searched_trigrams_idx', { synchronize: false })
@Index('users_searched_characters_idx', { synchronize: false })
@Check('users_identifier_check', 'email_folded IS NOT NULL OR username_folded IS NOT NULL')
@Check('users_role_check', "role IN ('owner', 'admin', 'member')")
export class User {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'users_pkey' })
  id!: string;

  @Column('varchar', { length: 320, nullable: true })
  email!: string | null;

  @Column('varchar', { name: 'email_folded', length: 320, nullable: true })
  emailFolded!: string | null;

  @Column('varchar', { length: 64, nullable: true })
  username!: string | null;

  @Column('varchar', { name: 'username_folded', length: 64, nullable: true })
  usernameFolded!: string | null;

  @Column('varchar', { length: 200, nullable: true })
  name!: string | null;

  @Column('varchar', { name: 'picture_url', length: 2000, nullable: true })
  pictureUrl!: string | null;

  @Column('varchar', { length: 16, default: 'member' })
  role!: Role;

  /** Never selected by accident, never leaves users/. */
  @Column('text', { name: 'password_hash', nullable: true, select: false })
  passwordHash?: string | null;

  /** When somebody last chose a password; `null` while it is the one that the account was made with. */
  @Column({ type: 'timestamptz', name: 'password_changed_at', precision: 3, nullable: true })
  passwordChangedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'disabled_at', precision: 3, nullable: true })
  disabledAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'last_login_at', precision: 3, nullable: true })
  lastLoginAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
