import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation, Unique } from 'typeorm';
import { User } from '../users/index.js';

/** A credential for programs. The key itself is shown once and kept as its SHA-256. */
@Entity('api_keys')
@Unique('api_keys_key_hash_key', ['keyHash'])
@Index('api_keys_user_id_id_idx', ['userId', 'id'])
@Index('api_keys_resource_type_resource_id_idx', ['resourceType', 'resourceId'])
export class ApiKey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'api_keys_pkey' })
  id!: string;

  /** `null`: the instance's own, made at bootstrap. */
  @Column('uuid', { name: 'user_id', nullable: true })
  userId!: string | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'api_keys_user_id_fkey' })
  user?: Relation<User> | null;

  @Column('varchar', { length: 100 })
  name!: string;

  /** The first characters of the key, so that people can tell their keys apart. */
  @Column('varchar', { length: 32 })
  prefix!: string;

  /** Never selected by accident, never leaves api-keys/. */
  @Column('bytea', { name: 'key_hash', select: false })
  keyHash?: Buffer;

  @Column('text', { array: true })
  scopes!: string[];

  @Column('varchar', { name: 'resource_type', length: 64, nullable: true })
  resourceType!: string | null;

  @Column('varchar', { name: 'resource_id', length: 128, nullable: true })
  resourceId!: string | null;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3, nullable: true })
  expiresAt!: Date | null;

  /** Set by a rotation with overlap: the key ends then, even if it would have expired later. */
  @Column({ type: 'timestamptz', name: 'retires_at', precision: 3, nullable: true })
  retiresAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3, nullable: true })
  lastUsedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'revoked_at', precision: 3, nullable: true })
  revokedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
