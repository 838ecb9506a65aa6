import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What files knew accounts by that were imported from them. */
export class ImportedAccounts20261114000000 implements MigrationInterface {
  readonly name = 'ImportedAccounts20261114000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE imported_accounts (
        identifier varchar(320) NOT NULL,
        user_id uuid NOT NULL,
        imported_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT imported_accounts_pkey PRIMARY KEY (identifier),
        CONSTRAINT imported_accounts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      );
      CREATE INDEX imported_accounts_user_id_idx ON imported_accounts (user_id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE imported_accounts');
  }
}
