import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which servers run on the database, what their requests show of the proxies before them, and since when secrets are in use. */
export class ServerInstances20261113000000 implements MigrationInterface {
  readonly name = 'ServerInstances20261113000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE server_instances (
        id uuid NOT NULL,
        started_at timestamptz(3) NOT NULL DEFAULT now(),
        seen_at timestamptz(3) NOT NULL DEFAULT now(),
        database_pool_size integer NOT NULL,
        principal_cache varchar(16) NOT NULL,
        forwarded_by varchar(64),
        came_past_proxies varchar(64),
        CONSTRAINT server_instances_pkey PRIMARY KEY (id)
      );
      CREATE INDEX server_instances_seen_at_idx ON server_instances (seen_at);

      CREATE TABLE secret_ages (
        name varchar(32) NOT NULL,
        salt bytea NOT NULL,
        fingerprint bytea NOT NULL,
        first_seen_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT secret_ages_pkey PRIMARY KEY (name)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE secret_ages, server_instances');
  }
}
