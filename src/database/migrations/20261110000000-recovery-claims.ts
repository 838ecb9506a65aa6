import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Claims that let an owner back in: what a claim is for, and whose account it gives back. */
export class RecoveryClaims20261110000000 implements MigrationInterface {
  readonly name = 'RecoveryClaims20261110000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE setup_claims
        ADD COLUMN purpose varchar(16) NOT NULL DEFAULT 'setup',
        ADD COLUMN user_id uuid,
        ADD CONSTRAINT setup_claims_purpose_check CHECK (purpose IN ('setup', 'recovery')),
        ADD CONSTRAINT setup_claims_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    // To the version before, every claim is one for the set-up.
    await queryRunner.query("DELETE FROM setup_claims WHERE purpose <> 'setup'");
    await queryRunner.query('ALTER TABLE setup_claims DROP COLUMN purpose, DROP COLUMN user_id');
  }
}
