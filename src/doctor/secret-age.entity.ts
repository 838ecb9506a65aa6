import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Since when a secret is in use. Of the secret itself there is a salted, slow hash, to tell it from the one before. */
@Entity('secret_ages')
export class SecretAge {
  @PrimaryColumn('varchar', { length: 32, primaryKeyConstraintName: 'secret_ages_pkey' })
  name!: string;

  @Column('bytea')
  salt!: Buffer;

  @Column('bytea')
  fingerprint!: Buffer;

  @Column({ type: 'timestamptz', name: 'first_seen_at', precision: 3, default: () => 'now()' })
  firstSeenAt!: Date;
}
