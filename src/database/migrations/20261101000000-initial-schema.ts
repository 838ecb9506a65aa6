import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users, sessions, API keys, login attempts, the audit log, and what bootstrap remembers. */
export class InitialSchema20261101000000 implements MigrationInterface {
  readonly name = 'InitialSchema20261101000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE users (
        id uuid NOT NULL,
        email varchar(320),
        email_folded varchar(320),
        username varchar(64),
        username_folded varchar(64),
        name varchar(200),
        picture_url varchar(2000),
        role varchar(16) NOT NULL DEFAULT 'member',
        password_hash text,
        password_changed_at timestamptz(3),
        disabled_at timestamptz(3),
        last_login_at timestamptz(3),
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT users_pkey PRIMARY KEY (id),
        CONSTRAINT users_email_key UNIQUE (email_folded),
        CONSTRAINT users_username_key UNIQUE (username_folded),
        CONSTRAINT users_identifier_check CHECK (email_folded IS NOT NULL OR username_folded IS NOT NULL),
        CONSTRAINT users_role_check CHECK (role IN ('owner', 'admin', 'member'))
      );

      CREATE TABLE declared_accounts (
        name varchar(32) NOT NULL,
        user_id uuid NOT NULL,
        email varchar(320) NOT NULL,
        password_hash text NOT NULL,
        CONSTRAINT declared_accounts_pkey PRIMARY KEY (name),
        CONSTRAINT declared_accounts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      );

      CREATE TABLE login_attempts (
        subject varchar(160) NOT NULL,
        user_id uuid,
        failures integer NOT NULL,
        locked_until timestamptz(3),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT login_attempts_pkey PRIMARY KEY (subject),
        CONSTRAINT login_attempts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      );
      CREATE INDEX login_attempts_user_id_idx ON login_attempts (user_id);
      CREATE INDEX login_attempts_updated_at_idx ON login_attempts (updated_at);

      CREATE TABLE sessions (
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        last_used_at timestamptz(3) NOT NULL DEFAULT now(),
        expires_at timestamptz(3) NOT NULL,
        revoked_at timestamptz(3),
        refresh_ttl_seconds integer NOT NULL,
        rotating boolean NOT NULL DEFAULT true,
        refresh_counter integer NOT NULL DEFAULT 0,
        rotated_at timestamptz(3),
        dialect varchar(32),
        ip_address varchar(64),
        user_agent varchar(400),
        CONSTRAINT sessions_pkey PRIMARY KEY (id),
        CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      );
      CREATE INDEX sessions_user_id_id_idx ON sessions (user_id, id);
      CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

      CREATE TABLE api_keys (
        id uuid NOT NULL,
        user_id uuid,
        name varchar(100) NOT NULL,
        prefix varchar(32) NOT NULL,
        key_hash bytea NOT NULL,
        scopes text[] NOT NULL,
        resource_type varchar(64),
        resource_id varchar(128),
        expires_at timestamptz(3),
        retires_at timestamptz(3),
        last_used_at timestamptz(3),
        revoked_at timestamptz(3),
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT api_keys_pkey PRIMARY KEY (id),
        CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash),
        CONSTRAINT api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      );
      CREATE INDEX api_keys_user_id_id_idx ON api_keys (user_id, id);

      CREATE TABLE audit_events (
        id uuid NOT NULL,
        at timestamptz(3) NOT NULL DEFAULT now(),
        action varchar(64) NOT NULL,
        outcome varchar(16) NOT NULL,
        actor_type varchar(16),
        actor_id uuid,
        subject_type varchar(16),
        subject_id uuid,
        ip_address varchar(64),
        user_agent varchar(400),
        request_id varchar(128),
        detail jsonb,
        CONSTRAINT audit_events_pkey PRIMARY KEY (id)
      );
      CREATE INDEX audit_events_at_idx ON audit_events (at);
      CREATE INDEX audit_events_action_id_idx ON audit_events (action, id);
      CREATE INDEX audit_events_actor_id_id_idx ON audit_events (actor_id, id);
      CREATE INDEX audit_events_subject_id_id_idx ON audit_events (subject_id, id);

      CREATE TABLE setup_claims (
        token_hash bytea NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        expires_at timestamptz(3) NOT NULL,
        CONSTRAINT setup_claims_pkey PRIMARY KEY (token_hash)
      );

      CREATE TABLE setup_milestones (
        name varchar(32) NOT NULL,
        reached_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT setup_milestones_pkey PRIMARY KEY (name)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'DROP TABLE setup_milestones, setup_claims, audit_events, api_keys, sessions, login_attempts, declared_accounts, users',
    );
  }
}
