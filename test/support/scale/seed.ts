import { isDeepStrictEqual } from 'node:util';
import type { Pool, PoolClient } from 'pg';

const GIVEN = ['ada', 'grace', 'maria', 'james', 'mary', 'robert', 'linda', 'susan', 'иван', 'jürgen', 'åsa', 'david', 'nancy', 'paul', 'ruth', '明'];
const FAMILY = ['smith', 'garcia', 'taylor', 'müller', 'lopez', 'moore', 'иванов', 'clark', 'lewis', 'young', 'king', 'wright', 'hill', 'green', 'baker'];
const DOMAINS = ['mail.example', 'example.com', 'post.example', 'corp.example.net', 'school.example', 'example.org', 'acme.test'];

/** Days over which the rows were made; none is older than what housekeeping leaves alone. */
const DAYS = 20;
/** What people have at hand at once. */
const SESSIONS_EACH = 3;
/** Among many, a table below this size would be read as a whole, and rightly. */
const FEWEST_ROWS = 30_000;

/**
 * Fills a migrated database: so many users, each with a key and three sessions, as many audit events, and a share of
 * failed logins, servers and agents. Ids are UUIDv7, as the server makes them. The n-th user is called `person<n>`, has the
 * given hash for a password and `seeded-key-<n>` for a key. A tenth of the events are those of `person1`.
 */
export async function seed(pool: Pool, users: number, passwordHash: string): Promise<void> {
  const client = await pool.connect();
  try {
    // What is made here refers to what is made here, and is gone after the run: nothing has to be checked or kept.
    await client.query("SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '256MB'");
    await withoutIndexes(client, () => fill(client, users, passwordHash));
    await client.query('RESET ALL');
    await client.query('VACUUM ANALYZE');
  } finally {
    client.release();
  }
}

/** An index is quicker made than kept up. What was dropped is made again as it was. */
async function withoutIndexes(client: PoolClient, work: () => Promise<void>): Promise<void> {
  const before = await indexesOf(client);
  for (const { drop } of before) await client.query(drop);
  await work();
  for (const { make } of before) await client.query(make);
  if (!isDeepStrictEqual(await indexesOf(client), before)) throw new Error('the indexes are no longer what they were');
}

/** How to drop and to make the indexes of the large tables, but for the primary keys, which rows are added to in order. */
async function indexesOf(client: PoolClient): Promise<{ drop: string; make: string }[]> {
  const { rows } = await client.query<{ drop: string; make: string }>(
    `SELECT CASE WHEN c.oid IS NULL THEN format('DROP INDEX %s', indexrelid::regclass)
                 ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', indrelid::regclass, conname) END AS drop,
            CASE WHEN c.oid IS NULL THEN pg_get_indexdef(indexrelid)
                 ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', indrelid::regclass, conname, pg_get_constraintdef(c.oid)) END
            || coalesce((SELECT string_agg(format('; ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', indexrelid::regclass, attnum, attstattarget), '')
                           FROM pg_attribute WHERE attrelid = indexrelid AND attstattarget >= 0), '') AS make
       FROM pg_index LEFT JOIN pg_constraint c ON conindid = indexrelid AND contype = 'u'
      WHERE indrelid = ANY(ARRAY['users', 'sessions', 'api_keys', 'audit_events']::regclass[]) AND NOT indisprimary ORDER BY indexrelid::regclass::text`,
  );
  return rows;
}

async function fill(client: PoolClient, users: number, passwordHash: string): Promise<void> {
  const some = Math.max(Math.min(users, FEWEST_ROWS), users / 20);
  const since = Date.now() - DAYS * 86_400_000;
  /** The id of the n-th of so many rows of a kind. */
  const id = (kind: string, n: string, many: number): string =>
    `(lpad(to_hex(${since} + (${n}) * ${Math.floor((DAYS * 86_400_000) / many)}), 12, '0') || '7${kind}08' || lpad(to_hex(${n}), 15, '0'))::uuid`;
  const user = (n: string): string => id('aa', n, users);
  const at = (n: string, many: number): string => `now() - interval '${DAYS} days' + (${n}) * interval '${(DAYS * 86_400) / many} s'`;
  const series = (many: number): string => `generate_series(1, ${many}) AS n`;
  const word = (words: string[], stride: number): string => `(ARRAY['${words.join("','")}'])[1 + n / ${stride} % ${words.length}]`;

  await client.query(
    `INSERT INTO users (id, email, email_folded, username, username_folded, name, password_hash, created_at, updated_at)
     SELECT ${user('n')}, email, email, 'person' || n, 'person' || n, initcap(given || ' ' || family), $1, at, at
       FROM (SELECT n, given, family, given || '.' || family || '.' || n || '@' || ${word(DOMAINS, 1)} AS email, ${at('n', users)} AS at
               FROM (SELECT n, ${word(GIVEN, 1)} AS given, ${word(FAMILY, 3)} AS family FROM ${series(users)}) AS named) AS people`,
    [passwordHash],
  );
  await client.query(
    `INSERT INTO api_keys (id, user_id, name, prefix, key_hash, scopes, resource_type, resource_id, created_at)
     SELECT ${id('bb', 'n', users)}, ${user('n')}, 'Key ' || n, 'seeded-key', sha256(convert_to('seeded-key-' || n, 'UTF8')), '{servers:read,agents:connect}',
            CASE WHEN n <= ${some} THEN 'server' END, CASE WHEN n <= ${some} THEN ${id('dd', 'n', some)} END, ${at('n', users)}
       FROM ${series(users)}`,
  );
  const sessions = users * SESSIONS_EACH;
  await client.query(
    `INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, refresh_ttl_seconds, ip_address, user_agent)
     SELECT ${id('cc', 'n', sessions)}, ${user(`1 + n::bigint * 7919 % ${users}`)}, ${at('n', sessions)}, ${at('n', sessions)}, now() + interval '30 days', 2592000,
            '192.0.2.' || n % 256, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
       FROM ${series(sessions)}`,
  );
  await client.query(
    `INSERT INTO audit_events (id, at, action, outcome, actor_type, actor_id, subject_type, subject_id, ip_address, request_id, detail)
     SELECT ${id('ee', 'n', users)}, ${at('n', users)}, action, CASE action WHEN 'login.failed' THEN 'failure' ELSE 'success' END, 'user', actor, 'user', actor,
            '192.0.2.' || n % 256, 'req-' || n, '{"dialect": null}'
       FROM (SELECT n, ${user(`CASE WHEN n % 10 = 0 THEN 1 ELSE 1 + n::bigint * 7919 % ${users} END`)} AS actor,
                    CASE WHEN n % 1000 = 7 THEN 'user.updated' WHEN n % 7 = 0 THEN 'login.failed' ELSE 'login.succeeded' END AS action FROM ${series(users)}) AS events`,
  );
  await client.query(
    `INSERT INTO login_attempts (subject, user_id, failures, updated_at)
     SELECT 'user:' || ${user('n')}, ${user('n')}, 1, now() FROM ${series(some)}
     UNION ALL SELECT 'unknown:' || encode(sha256(n::text::bytea), 'hex'), NULL, 2, now() - n % 20 * interval '1 hour' FROM ${series(some)}`,
  );
  await client.query(
    `INSERT INTO chatops_servers (id, owner_id, name) SELECT ${id('dd', 'n', some)}, ${user('n')}, 'Server ' || n FROM ${series(some)}`,
  );
  await client.query(
    `INSERT INTO agent_connections (id, api_key_id, seen_at) SELECT gen_random_uuid(), ${id('bb', 'n', users)}, now() + interval '1 hour' FROM ${series(some)}`,
  );
}
