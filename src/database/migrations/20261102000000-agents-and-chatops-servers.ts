import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Connections of agents, the servers of ChatOps, and the keys of one resource. */
export class AgentsAndChatOpsServers20261102000000 implements MigrationInterface {
  readonly name = 'AgentsAndChatOpsServers20261102000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE INDEX api_keys_resource_type_resource_id_idx ON api_keys (resource_type, resource_id);

      CREATE TABLE agent_connections (
        id uuid NOT NULL,
        api_key_id uuid NOT NULL,
        seen_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT agent_connections_pkey PRIMARY KEY (id),
        CONSTRAINT agent_connections_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys (id) ON DELETE CASCADE
      );
      CREATE INDEX agent_connections_api_key_id_idx ON agent_connections (api_key_id);

      CREATE TABLE chatops_servers (
        id uuid NOT NULL,
        owner_id uuid NOT NULL,
        name varchar(200) NOT NULL,
        host varchar(255),
        port integer,
        metadata jsonb NOT NULL DEFAULT '{}',
        last_seen_at timestamptz(3),
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT chatops_servers_pkey PRIMARY KEY (id),
        CONSTRAINT chatops_servers_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE
      );
      CREATE INDEX chatops_servers_owner_id_id_idx ON chatops_servers (owner_id, id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'DROP TABLE chatops_servers, agent_connections; DROP INDEX api_keys_resource_type_resource_id_idx',
    );
  }
}
