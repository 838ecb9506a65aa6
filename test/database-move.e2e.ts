import { once } from 'node:events';
import { join } from 'node:path';
import { Pool } from 'pg';
import { startEmbeddedPostgres } from '../src/database/embedded/index.js';
import { LOCKS } from '../src/database/index.js';
import { type Ended, gatehouse, launchCli } from './support/cli.js';
import { Api, eventually, type Json, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { embeddedIn, makeDirectory, postgresBelow, type TestDirectory } from './support/directory.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { OWNER, WITH_OWNER } from './support/suite.js';

jest.setTimeout(180_000);

const running: Gatehouse[] = [];
/** A server that is stopped in any case. */
async function start(env: Record<string, string | undefined>): Promise<Gatehouse> {
  const server = await startGatehouse({ env });
  running.push(server);
  return server;
}

let directory: TestDirectory;
beforeAll(() => { directory = makeDirectory(0o711); });
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  directory.remove();
});

/** Every row of every table, as text that does not depend on who asks. */
async function contents(pool: Pool): Promise<Record<string, string[]>> {
  const { rows: tables } = await pool.query<{ name: string }>("SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1");
  const all: Record<string, string[]> = {};
  for (const { name } of tables.filter((table) => table.name !== 'migrations')) {
    const { rows } = await pool.query<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM ${name} t ORDER BY 1`);
    all[name] = rows.map(({ row }) => row);
  }
  return all;
}

/** Works on an embedded database whose server does not run. */
async function onEmbedded<T>(dataDir: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const postgres = await startEmbeddedPostgres({ dataDir, log: () => undefined });
  const pool = new Pool({ ...postgres.connection, options: '-c timezone=UTC', max: 1 });
  try {
    return await work(pool);
  } finally {
    await pool.end();
    await postgres.stop();
  }
}

/** Moves, with the URL on standard input. What is printed holds no password. */
async function move(dataDir: string, target: TestDatabase, args: readonly string[] = []): Promise<Ended> {
  const ended = await gatehouse(['database', 'move', '--stdin', ...args], { env: embeddedIn(dataDir), input: `${target.url}\n` });
  expect(ended.stdout + ended.stderr).not.toContain(new URL(target.url).password);
  return ended;
}

describe('gatehouse database move', () => {
  let dataDir: string;
  let env: Record<string, string | undefined>;
  let target: TestDatabase;
  /** What the people and programs have that are to come in again. */
  let owner: { accessToken: string; refreshToken: string };
  let key: Json;
  let before: Record<string, string[]>;

  beforeAll(async () => {
    dataDir = join(directory.path, 'data');
    env = { ...embeddedIn(dataDir), DIALECTS: 'chatops' };
    target = await createDatabase('empty');
    const server = await start({ ...env, ...WITH_OWNER });
    const api = new Api(server);
    owner = await api.login(OWNER.email, OWNER.password);
    for (const [at, name] of ['Zoë "Zed", {x}', '名前\\n', "O'Hara"].entries()) {
      const user = await api.createUser(owner.accessToken, { username: `user-${String(at)}`, name, password: 'plenty of words 42', role: 'admin' });
      if (at === 0) await api.call(`PATCH /users/${user.id as string}`, { token: owner.accessToken, json: { disabled: true } });
    }
    for (let i = 0; i < 5; i += 1) await api.call('POST /auth/login', { json: { identifier: 'user-1', password: 'wrong' } });
    for (let i = 0; i < 2; i += 1) await api.call('POST /auth/login', { json: { identifier: 'nobody', password: 'wrong' } });
    key = await api.createKey(owner.accessToken, ['servers:read', 'audit:read'], { expiresAt: '2090-01-01T00:00:00.000Z', resource: { type: 'server', id: 'a b' } });
    const revoked = await api.createKey(owner.accessToken, ['servers:read']);
    await api.call(`DELETE /api-keys/${revoked.id as string}`, { token: owner.accessToken });
    const form = { username: OWNER.email, password: OWNER.password };
    const chatops = await send(`POST ${server.url}/api/v1/auth/login`, { form });
    expect((await send(`POST ${server.url}/api/v1/servers`, { token: chatops.body.access_token as string, json: { name: 'web 1', platform: 'linux' } })).status).toBeLessThan(300);

    const refused = await move(dataDir, target);
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('The server runs on the embedded database: stop it first') as string]);
    await server.stop();
    // More than is held at a time.
    before = await onEmbedded(dataDir, async (pool) => {
      await pool.query(`INSERT INTO audit_events (id, action, outcome, detail, user_agent)
        SELECT gen_random_uuid(), 'login.failed', 'failure', jsonb_build_object('n', n, 'text', E'a "b" \\\\ \\u00e9'), repeat('x', n % 400) FROM generate_series(1, 3500) n`);
      await pool.query(`INSERT INTO setup_milestones (name) VALUES ('setup-complete');
        INSERT INTO webhook_deliveries (id, event_id, endpoint, attempts, last_error) SELECT gen_random_uuid(), id, 'abc', 2, 'it answered 500' FROM audit_events LIMIT 9`);
      const all = await contents(pool);
      await pool.query('CREATE TABLE things (of_the_product text)');
      return all;
    });
    expect(Object.entries(before).filter(([, rows]) => rows.length === 0).map(([name]) => name).sort())
      .toEqual(['agent_connections', 'agent_instances', 'declared_accounts', 'imported_accounts', 'server_instances', 'setup_claims']);
  });
  afterAll(() => target.drop());

  it.each([
    ['a password in the arguments', ['--to', 'postgres://gatehouse:Horse7Battery@127.0.0.1/x'], /cannot be an argument: .* --stdin or --to-file/],
    ['one in the parameters', ['--to', 'postgres://127.0.0.1/x?user=a&password=Horse7Battery'], /cannot be an argument/],
    ['no URL', ['--to', 'mysql://127.0.0.1/x'], /The target is no URL of a PostgreSQL/],
    ['two of them', ['--to', 'postgres://127.0.0.1/x', '--stdin'], /cannot be used with/],
    ['none, where nobody can be asked', [], /Nobody can be asked here/],
  ])('refuses %s', async (_, args, said) => {
    const { code, stdout, stderr } = await gatehouse(['database', 'move', ...args], { env });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(said);
    expect(stderr).not.toContain('Horse7Battery');
  });

  it('says what is the matter with a target that it cannot use', async () => {
    const closed = await gatehouse(['database', 'move', '--to', 'postgres://gatehouse@127.0.0.1:1/nowhere'], { env });
    expect([closed.code, closed.stderr]).toEqual([5, expect.stringContaining('the database 127.0.0.1:1/nowhere to move to cannot be used: connect ECONNREFUSED') as string]);
    const filled = await createDatabase();
    await filled.pool.query("INSERT INTO users (id, username, username_folded) VALUES (gen_random_uuid(), 'eve', 'eve')");
    const refused = await move(dataDir, filled);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringMatching(/Nothing was moved: the target has rows already \(in users\), and is no copy of this database: of the table api_key_changes, the row \(1\) is in one of them alone/) as string]);
    await filled.drop();
  });

  it('leaves nothing behind when it is killed in the middle, and holds a server off that starts meanwhile', async () => {
    expect((await gatehouse(['migrate'], { env: { DATABASE_URL: target.url } })).code).toBe(0);
    // The last but one of the copied rows waits.
    await target.pool.query(`
      CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END $$;
      CREATE TRIGGER waits BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION wait()`);
    const holder = await target.pool.connect();
    await holder.query('SELECT pg_advisory_lock(42)');
    const { child } = launchCli(['database', 'move', '--stdin'], { env, input: target.url });
    await eventually(async () => {
      const { rowCount } = await target.pool.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO sessions%' AND datname = current_database()");
      expect(rowCount).toBe(1);
    }, 60_000);
    const late = start({ ...env, DATABASE_URL: target.url, JWT_SECRET: 'q'.repeat(7) + 'tJ8r2Vq0ZpWc5nXk7Hs1Ly4Bd9Gf3Ma6Ue0Ri2Ov5Tw8Qx1Cz' });
    await eventually(async () => {
      const { rowCount } = await target.pool.query("SELECT FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_xact_lock%' AND application_name = 'gatehouse' AND datname = current_database()");
      expect(rowCount).toBeGreaterThan(0);
    });
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await holder.query('SELECT pg_advisory_unlock(42)');
    holder.release();
    // It had not begun; now it finds an empty database.
    const server = await late;
    expect(server.claimToken).not.toBeNull();
    await server.stop();
    expect(await contents(target.pool)).toMatchObject({ users: [], api_keys: [], sessions: [], audit_events: [] });
    await target.pool.query('DROP FUNCTION wait CASCADE; DELETE FROM setup_claims; DELETE FROM secret_ages');
  });

  it('leaves nothing behind when a row arrives otherwise than it was sent', async () => {
    await target.pool.query(`
      CREATE FUNCTION promote() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.role := 'owner'; RETURN NEW; END $$;
      CREATE TRIGGER promotes BEFORE INSERT ON users FOR EACH ROW WHEN (NEW.username = 'user-2') EXECUTE FUNCTION promote()`);
    const { code, stderr } = await move(dataDir, target);
    const { id } = JSON.parse(before['users']?.find((row) => row.includes('user-2')) ?? '') as { id: string };
    expect([code, stderr]).toEqual([1, expect.stringContaining(`Nothing was moved: of the table users, the row (${id}) is not the same in both.`) as string]);
    expect((await contents(target.pool))['users']).toEqual([]);
    await target.pool.query('DROP FUNCTION promote CASCADE');
  });

  it('says what may be when the target fails it', async () => {
    await target.pool.query(`
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more room'; END $$;
      CREATE TRIGGER fails BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION fail()`);
    const { code, stderr } = await move(dataDir, target);
    expect([code, stderr]).toEqual([5, expect.stringContaining('The move was given up: no more room. '
      + 'Unless the connection broke at the very end, nothing has changed: run it again, which only compares if all is there.') as string]);
    expect((await contents(target.pool))['users']).toEqual([]);
    await target.pool.query('DROP FUNCTION fail CASCADE');
  });

  it('copies everything, and says with what settings to go on', async () => {
    // The statistics of the target cannot be made: all is there without them.
    await target.pool.query(`
      CREATE FUNCTION uncounted(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
        BEGIN IF current_query() LIKE 'ANALYZE%' THEN RAISE 'cannot be counted'; END IF; RETURN $1; END $$;
      CREATE INDEX uncounted_idx ON users (uncounted(name))`);
    await expect(target.pool.query("INSERT INTO users (id, username, username_folded) VALUES (gen_random_uuid(), 'eve', 'eve')").then(() => target.pool.query('ANALYZE users'))).rejects.toThrow('cannot be counted');
    await target.pool.query('DELETE FROM users; DELETE FROM api_key_changes');
    const { code, stdout } = await move(dataDir, target);
    await target.pool.query('DROP FUNCTION uncounted CASCADE');
    expect([code, stdout]).toEqual([0, expect.stringContaining('Everything is copied, and every row is the same:') as string]);
    const url = new URL(target.url);
    expect(stdout).toContain(`DATABASE_URL=postgres://${url.username}@${url.host}${url.pathname}\n  JWT_SECRET_FILE=${join(dataDir, 'jwt-secret')}\n`);
    expect(stdout).toMatch(new RegExp(`^audit_events +${String(before['audit_events']?.length ?? 0)}$`, 'm'));
    expect(stdout).toContain("\nNot Gatehouse's, and left where they are: things.\n");
    const pool = new Pool({ connectionString: target.url, options: '-c timezone=UTC', max: 1 });
    const after = await contents(pool);
    await pool.end();
    for (const [name, rows] of Object.entries(before)) expect({ name, rows: after[name] }).toEqual({ name, rows });
    expect(Object.keys(after)).toEqual(Object.keys(before));
    expect(postgresBelow(directory.path)).toEqual([]);
  });

  it('compares alone when it is done, and finds a row that somebody has changed, added or taken away', async () => {
    const again = await move(dataDir, target, ['--json']);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ before: true, left: ['things'] });
    const tampered = async (change: string, undo: string, said: string): Promise<void> => {
      await target.pool.query(change);
      const { code, stderr } = await move(dataDir, target);
      expect([code, stderr]).toEqual([4, expect.stringContaining(said) as string]);
      await target.pool.query(undo);
    };
    await tampered("UPDATE users SET name = 'x' WHERE username = 'user-2'", "UPDATE users SET name = 'O''Hara' WHERE username = 'user-2'", 'of the table users, the row');
    await tampered("INSERT INTO setup_milestones (name) VALUES ('x')", "DELETE FROM setup_milestones WHERE name = 'x'", 'of the table setup_milestones, the row (x) is in one of them alone');
    await tampered(
      'CREATE TABLE taken AS SELECT * FROM login_attempts; DELETE FROM login_attempts',
      'INSERT INTO login_attempts SELECT * FROM taken; DROP TABLE taken', 'of the table login_attempts, the row',
    );
    expect((await move(dataDir, target)).code).toBe(0);
  });

  it('lets everybody go on where they were', async () => {
    const server = await start({ ...env, DATABASE_URL: target.url, JWT_SECRET_FILE: join(dataDir, 'jwt-secret') });
    const api = new Api(server);
    expect((await api.call('GET /auth/me', { token: owner.accessToken })).body).toMatchObject({ email: OWNER.email });
    const refreshed = await api.call('POST /auth/refresh', { json: { refreshToken: owner.refreshToken } });
    expect(refreshed.status).toBe(200);
    expect((await api.call('GET /api-keys/current', { apiKey: key.key as string })).body).toMatchObject({ id: key.id as string, resource: { type: 'server', id: 'a b' } });
    await api.login(OWNER.email, OWNER.password);
    expect((await api.call('POST /auth/login', { json: { identifier: 'user-1', password: 'plenty of words 42' } })).status).toBe(423);
    expect((await api.call('POST /auth/login', { json: { identifier: 'user-0', password: 'plenty of words 42' } })).body.code).toBe('account_disabled');
    const { body } = await api.call('GET /audit-events?action=api_key.revoked', { token: owner.accessToken });
    expect(body.items).toHaveLength(1);
    // Numbers that the database counts up go on after those that were copied.
    expect((await api.call(`DELETE /api-keys/${key.id as string}`, { token: owner.accessToken })).status).toBe(204);
    expect((await api.call('GET /api-keys/current', { apiKey: key.key as string })).status).toBe(401);

    const refused = await move(dataDir, target);
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('1 server runs on the target: stop it first') as string]);
    await server.stop();
  });
});

describe('gatehouse database move, of a server that nobody has claimed', () => {
  it('takes the claim along, and moves on from PostgreSQL too', async () => {
    const dataDir = join(directory.path, 'unclaimed');
    const [first, second] = [await createDatabase('empty'), await createDatabase('empty')];
    const unclaimed = await start(embeddedIn(dataDir));
    await unclaimed.stop();
    expect((await move(dataDir, first)).code).toBe(0);
    const server = await start({ DATABASE_URL: first.url });
    const env = { DATABASE_URL: first.url };
    const onward = () => gatehouse(['database', 'move', '--stdin'], { env, input: second.url });
    expect(await onward()).toMatchObject({ code: 5, stderr: expect.stringContaining('1 server runs on the database that DATABASE_URL names: stop it first') as string });
    await server.stop();

    // One that starts while the target is being made ready is seen too.
    const holder = await second.pool.connect();
    await holder.query('SELECT pg_advisory_lock($1)', [LOCKS.migrations]);
    const waiting = onward();
    await eventually(async () => {
      const { rowCount } = await second.pool.query("SELECT FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_xact_lock%' AND application_name = 'gatehouse' AND datname = current_database()");
      expect(rowCount).toBeGreaterThan(0);
    }, 60_000);
    const quicker = await start(env);
    await eventually(async () => { expect((await first.pool.query('SELECT FROM server_instances')).rowCount).toBe(1); });
    await holder.query('SELECT pg_advisory_unlock($1)', [LOCKS.migrations]);
    holder.release();
    expect(await waiting).toMatchObject({ code: 5, stderr: expect.stringContaining('1 server runs on the database that DATABASE_URL names: stop it first') as string });
    await quicker.stop();
    expect((await onward()).code).toBe(0);
    expect(await gatehouse(['database', 'move', '--stdin'], { env, input: first.url })).toMatchObject({ code: 4, stderr: expect.stringContaining('the target is this very database') as string });

    const moved = await start({ DATABASE_URL: second.url });
    expect((await send(`POST ${moved.url}/setup`, { json: { token: unclaimed.claimToken, email: OWNER.email, password: OWNER.password } })).status).toBe(201);
    await moved.stop();
    await Promise.all([first.drop(), second.drop()]);
  });
});
