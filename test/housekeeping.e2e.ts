import { randomUUID } from 'node:crypto';
import { LOCKS } from '../src/database/index.js';
import { removalOf } from '../src/housekeeping/outdated-rows.js';
import { type Api, eventually } from './support/client.js';
import { Hammer } from './support/hammer.js';
import { decodeJwt } from './support/jwt.js';
import { owner, type Person, person, signIn } from './support/people.js';
import { scrape } from './support/scrape.js';
import { startSuite, type Suite } from './support/suite.js';

const REMOVED = 'gatehouse_housekeeping_removed_rows_total';
const FAILURES = 'gatehouse_housekeeping_failures_total';
const MANY = 20_000;

let suite: Suite;
let boss: Person;
let member: Person;

// Rows are aged while no server runs: each looks a few seconds after its start, and then again in some minutes.
beforeAll(async () => {
  suite = await startSuite({ METRICS_PUBLIC: 'true', AUDIT_RETENTION_DAYS: '30', LOCKOUT_DURATION: '2d' });
  boss = await owner(suite.api);
  member = await person(suite.api, boss.token, 'member');
});
afterAll(() => suite.stop());

const sql = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> => (await suite.database.pool.query(text, values)).rows as Row[];
const ids = async (text: string, values: unknown[] = []): Promise<string[]> => (await sql<{ id: string }>(text, values)).map(({ id }) => id);
/** How many rows of a table servers have removed. */
const removedBy = async (servers: readonly Api[], table: string): Promise<number> =>
  (await Promise.all(servers.map(async ({ gatehouse }) => (await scrape(gatehouse.url)).value(REMOVED, { table })))).reduce((sum, one) => sum + one, 0);
const untilRemoved = (servers: readonly Api[], table: string, rows: number): Promise<void> =>
  eventually(async () => { expect([table, await removedBy(servers, table)]).toEqual([table, rows]); }, 30_000);
/** What a server complained of, but for the password that the suite leaves in its environment. */
const complaints = ({ gatehouse }: Api): string[] =>
  gatehouse.output().split('\n').filter((line) => /"level":"(warn|error)"/.test(line) && !line.includes('BOOTSTRAP_OWNER_PASSWORD'));

describe('a server that starts', () => {
  let server: Api;
  let late: Person;
  let revoked: Person;
  const sidOf = ({ token }: Person): string => String(decodeJwt(token).claims['sid']);
  const removed: Record<string, string[]> = {};
  const kept: Record<string, string[]> = {};

  beforeAll(async () => {
    late = await person(suite.api, boss.token, 'member');
    const { body } = await suite.api.call('POST /auth/refresh', { json: { refreshToken: late.refreshToken } });
    await suite.api.call('POST /auth/refresh', { json: { refreshToken: body.refreshToken } });
    revoked = await signIn(suite.api, member.email, member.password);
    await suite.api.call('POST /auth/logout', { token: revoked.token });
    const { id: keyId } = (await suite.api.createKey(boss.token, ['agents:connect'])) as { id: string };
    await suite.gatehouse.stop();

    const session = async (ago: string): Promise<string> => (await ids(
      'INSERT INTO sessions (id, user_id, expires_at, refresh_ttl_seconds) VALUES (gen_random_uuid(), $1, now() - $2::interval, 60) RETURNING id', [member.id, ago]))[0]!;
    await sql("UPDATE sessions SET expires_at = now() - interval '8 days' WHERE id = $1", [sidOf(late)]);
    removed['sessions'] = [sidOf(late), await session('7 days 1 minute'), await session('400 days')];
    kept['sessions'] = [sidOf(member), sidOf(revoked), await session('1 second'), await session('6 days 23 hours')];

    const attempt = async (age: string, locked: string | null): Promise<string> => {
      const subject = `unknown:${randomUUID()}`;
      await sql('INSERT INTO login_attempts (subject, failures, updated_at, locked_until) VALUES ($1, 5, now() - $2::interval, now() + $3::interval)', [subject, age, locked]);
      return subject;
    };
    removed['login_attempts'] = [await attempt('24 hours 1 minute', null), await attempt('49 hours', '-1 hours')];
    kept['login_attempts'] = [await attempt('23 hours 50 minutes', null), await attempt('40 hours', '8 hours'), await attempt('1 minute', '-1 seconds')];

    const event = async (age: string): Promise<string> =>
      (await ids("INSERT INTO audit_events (id, at, action, outcome) VALUES (gen_random_uuid(), now() - $1::interval, 'login.failed', 'failure') RETURNING id", [age]))[0]!;
    removed['audit_events'] = [await event('30 days 1 minute'), await event('10 years')];
    kept['audit_events'] = [await event('29 days 23 hours'), await event('0 days')];

    const connection = async (age: string): Promise<string> =>
      (await ids('INSERT INTO agent_connections (id, api_key_id, seen_at) VALUES (gen_random_uuid(), $1, now() - $2::interval) RETURNING id', [keyId, age]))[0]!;
    removed['agent_connections'] = [await connection('61 seconds')];
    kept['agent_connections'] = [await connection('-10 minutes')];

    // Revoked and expired keys stay in their lists.
    kept['api_keys'] = await ids(
      "INSERT INTO api_keys (id, name, prefix, key_hash, scopes, revoked_at, expires_at) SELECT gen_random_uuid(), 'old', 'gh_', sha256(n::text::bytea), '{}', now() - n * interval '5 years', now() - n * interval '5 years' FROM generate_series(1, 2) n RETURNING id");
    server = await suite.startAnother();
    for (const [table, rows] of Object.entries(removed)) await untilRemoved([server], table, rows.length);
  });

  const stillThere = (table: string, among: string[]): Promise<string[]> => {
    const key = table === 'login_attempts' ? 'subject' : 'id';
    return ids(`SELECT ${key}::text AS id FROM ${table} WHERE ${key}::text = ANY($1) ORDER BY 1`, [among]);
  };

  it.each(['sessions', 'login_attempts', 'audit_events', 'agent_connections'])('removes what is outdated of %s, and nothing else', async (table) => {
    expect(await stillThere(table, removed[table]!)).toEqual([]);
    expect(await stillThere(table, kept[table]!)).toEqual([...kept[table]!].sort());
  });

  it('leaves API keys alone', async () => {
    expect(await stillThere('api_keys', kept['api_keys']!)).toHaveLength(2);
  });

  it('lets nobody in by that: tokens of a session whose row is gone are refused like those of any other that has ended', async () => {
    for (const { token, refreshToken } of [late, revoked]) {
      for (const target of ['GET /auth/me', 'GET /auth/sessions', 'POST /auth/logout', 'DELETE /auth/sessions']) {
        const { status, body } = await server.call(target, { token });
        expect([target, status, body.code]).toEqual([target, 401, 'invalid_token']);
      }
      const { status, body } = await server.call('POST /auth/refresh', { json: { refreshToken } });
      expect([status, body.code]).toEqual([401, 'invalid_grant']);
    }
    expect(await ids("SELECT id FROM audit_events WHERE action = 'refresh.reused'")).toEqual([]);
    expect((await server.call('GET /auth/me', { token: member.token })).status).toBe(200);
    expect((await server.call('POST /auth/refresh', { json: { refreshToken: member.refreshToken } })).status).toBe(200);
    await server.gatehouse.stop();
  });

  it('keeps audit events for ever where AUDIT_RETENTION_DAYS is 0', async () => {
    const [old] = await ids("INSERT INTO audit_events (id, at, action, outcome) VALUES (gen_random_uuid(), now() - interval '90 years', 'login.failed', 'failure') RETURNING id");
    await sql("INSERT INTO login_attempts (subject, failures, updated_at) VALUES ('unknown:', 1, now() - interval '2 days')");
    const forEver = await suite.startAnother({ AUDIT_RETENTION_DAYS: '0' });
    await untilRemoved([forEver], 'login_attempts', 1);
    expect((await scrape(forEver.gatehouse.url)).valuesOf(REMOVED, 'table')).not.toContain('audit_events');
    expect(await ids('DELETE FROM audit_events WHERE id = $1 RETURNING id', [old])).toEqual([old]);
    await forEver.gatehouse.stop();
  });
});

/** Fills the sessions with expired ones; a trigger notes every removal, and fails when two happen at the same time. */
async function pile(pauseSeconds: number): Promise<void> {
  await sql(`
    CREATE TABLE removals (transaction bigint, count integer, at timestamptz);
    CREATE FUNCTION note_removal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NOT pg_try_advisory_xact_lock(4711) THEN RAISE EXCEPTION 'two at a time'; END IF;
      IF (SELECT count(*) FROM old_rows) > 0 THEN
        INSERT INTO removals SELECT txid_current(), count(*), clock_timestamp() FROM old_rows;
        PERFORM pg_sleep(${String(pauseSeconds)});
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER note_removal AFTER DELETE ON sessions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note_removal();
    INSERT INTO sessions (id, user_id, expires_at, refresh_ttl_seconds)
      SELECT gen_random_uuid(), '${member.id}', now() - interval '8 days' - n * interval '1 second', 60 FROM generate_series(1, ${String(MANY)}) n;
    ANALYZE sessions;`);
}
const clear = () => sql('DROP TRIGGER note_removal ON sessions; DROP FUNCTION note_removal; DROP TABLE removals');
const expired = async (): Promise<number> => Number((await sql<{ n: string }>("SELECT count(*) AS n FROM sessions WHERE expires_at < now() - interval '7 days'"))[0]?.n);

it(`${String(MANY)} rows go in small batches, one at a time however many servers there are, while requests are answered`, async () => {
  await pile(0.01);
  const servers = await Promise.all([suite.startAnother(), suite.startAnother()]);
  const hammer = new Hammer(servers, 'GET /auth/me', { token: member.token }, 2);
  const began = performance.now();
  await eventually(async () => { expect(await expired()).toBe(0); }, 40_000).finally(() => hammer.stop());
  await untilRemoved(servers, 'sessions', MANY);
  expect(hammer.statusesAfter(began)).toEqual([200]);
  expect(hammer.accepted.length).toBeGreaterThan(50);
  const removals = await sql<{ transaction: string; count: number }>('SELECT transaction, count FROM removals');
  await clear();
  expect(removals.every(({ count }) => count <= 1_000)).toBe(true);
  expect(removals.reduce((sum, { count }) => sum + count, 0)).toBe(MANY);
  expect(new Set(removals.map(({ transaction }) => transaction)).size).toBe(removals.length);
  for (const server of servers) {
    expect(complaints(server)).toEqual([]);
    expect((await scrape(server.gatehouse.url)).value(FAILURES)).toBe(0);
    expect(await server.gatehouse.stop()).toBe(0);
  }
});

it('leaves a table that another instance is at to that one, and no other table', async () => {
  await sql("INSERT INTO login_attempts (subject, failures, updated_at) VALUES ('unknown:y', 1, now() - interval '2 days')");
  await sql("INSERT INTO audit_events (id, at, action, outcome) VALUES (gen_random_uuid(), now() - interval '31 days', 'login.failed', 'failure')");
  const other = await suite.database.pool.connect();
  await other.query('BEGIN');
  await other.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCKS.housekeeping, 'login_attempts']);
  const server = await suite.startAnother();
  await untilRemoved([server], 'audit_events', 1);
  expect(await server.gatehouse.stop()).toBe(0);
  await other.query('ROLLBACK');
  other.release();
  expect(await sql("DELETE FROM login_attempts WHERE subject = 'unknown:y' RETURNING subject")).toHaveLength(1);
});

it('goes by an index, however many rows there are', async () => {
  await sql(`
    INSERT INTO sessions (id, user_id, expires_at, refresh_ttl_seconds)
      SELECT gen_random_uuid(), '${member.id}', now() - (n - 10000) * interval '5 minutes', 60 FROM generate_series(1, ${String(MANY)}) n;
    INSERT INTO audit_events (id, at, action, outcome) SELECT gen_random_uuid(), now() - n * interval '5 minutes', 'x', 'failure' FROM generate_series(1, ${String(MANY)}) n;
    INSERT INTO login_attempts (subject, failures, updated_at) SELECT 'unknown:' || n, 1, now() - n * interval '5 seconds' FROM generate_series(1, ${String(MANY)}) n;
    ANALYZE sessions, audit_events, login_attempts;`);
  const plans = [
    [removalOf({ table: 'sessions', key: 'id', since: 'expires_at', keptSeconds: 0 }), /sessions_expires_at_idx[\s\S]*sessions_pkey|sessions_pkey[\s\S]*sessions_expires_at_idx/],
    [removalOf({ table: 'audit_events', key: 'id', since: 'at', keptSeconds: 0, immutable: true }), /audit_events_at_idx[\s\S]*audit_events_pkey|audit_events_pkey[\s\S]*audit_events_at_idx/],
    [removalOf({ table: 'login_attempts', key: 'subject', since: 'updated_at', keptSeconds: 0, unless: 'locked_until > now()' }), /login_attempts_updated_at_idx/],
  ] as const;
  for (const [statement, indexes] of plans) {
    const plan = (await sql<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`, [7 * 86_400, 1_000])).map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(indexes);
    expect(plan).not.toMatch(/Seq Scan|Sort/);
  }
  await sql("DELETE FROM sessions WHERE refresh_ttl_seconds = 60; DELETE FROM audit_events WHERE action = 'x'; DELETE FROM login_attempts WHERE failures = 1");
});

it('a server that is stopped in the middle finishes its batch, and leaves the rest to others', async () => {
  await pile(0.2);
  const server = await suite.startAnother();
  await eventually(async () => { expect((await sql('SELECT FROM removals')).length).toBeGreaterThan(1); }, 30_000);
  expect(await server.gatehouse.stop()).toBe(0);
  const left = await expired();
  expect([left > 0, left % 1_000]).toEqual([true, 0]);
  expect(complaints(server)).toEqual([]);
  await sql('DELETE FROM sessions WHERE refresh_ttl_seconds = 60').finally(clear);
});

describe('where rows cannot be removed', () => {
  it('says so once, with the reason, and does the rest', async () => {
    await sql(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'nobody removes these'; END $$;
      CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH STATEMENT EXECUTE FUNCTION refuse();
      INSERT INTO login_attempts (subject, failures, updated_at) VALUES ('unknown:x', 1, now() - interval '2 days')`);
    const server = await suite.startAnother();
    await eventually(async () => { expect((await scrape(server.gatehouse.url)).value(FAILURES)).toBe(1); }, 30_000);
    expect(await removedBy([server], 'login_attempts')).toBe(1);
    await sql('DROP TRIGGER refuse ON sessions; DROP FUNCTION refuse');
    const [complaint, ...more] = complaints(server);
    expect(JSON.parse(complaint ?? '')).toMatchObject({ level: 'warn', context: 'Housekeeping', msg: 'Outdated rows of sessions could not be removed: nobody removes these' });
    expect(more).toEqual([]);
    expect((await server.call('GET /auth/me', { token: member.token })).status).toBe(200);
    await server.gatehouse.stop();
  });

  it('neither a connection that is cut nor a database that is read only is more than a line in the log', async () => {
    const blocker = await suite.database.pool.connect();
    await blocker.query('BEGIN; LOCK TABLE sessions, login_attempts, audit_events, agent_connections IN ACCESS EXCLUSIVE MODE');
    const server = await suite.startAnother();
    const waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%DELETE FROM%'";
    await eventually(async () => { expect(await sql(waiting)).toHaveLength(1); }, 30_000);
    await sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$");
    await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gatehouse'");
    await blocker.query('ROLLBACK');
    blocker.release();
    await eventually(async () => { expect((await scrape(server.gatehouse.url)).value(FAILURES)).toBe(1); }, 30_000);
    expect(complaints(server).filter((line) => line.includes('Housekeeping'))).toEqual([
      expect.stringMatching(/Outdated rows of (\w+, ){6}\w+ could not be removed: .*read-only transaction/),
    ]);
    expect((await server.call('GET /auth/me', { token: member.token })).status).toBe(200);
  });
});
