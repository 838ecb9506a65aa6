import { LOCKS } from '../src/database/index.js';
import { Api, eventually, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { freePort } from './support/free-port.js';
import { type Gatehouse, launchGatehouse, runGatehouse, type Start } from './support/gatehouse.js';
import { OWNER, WITH_OWNER } from './support/suite.js';
import { openProxy, type TcpProxy } from './support/tcp-proxy.js';

describe('a start while the database is away', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;

  beforeEach(async () => {
    database = await createDatabase('empty');
    proxy = await openProxy(database.url);
  });

  afterEach(async () => {
    proxy.swallow(false);
    await proxy.cut();
    await database.drop();
  });

  const expectStarted = async (gatehouse: Gatehouse): Promise<void> => {
    const { body, status } = await send(`GET ${gatehouse.url}/health/ready`);
    expect([status, body.checks]).toEqual([200, { database: 'up', migrations: 'up' }]);
    await new Api(gatehouse).login(OWNER.email, OWNER.password);
  };

  /** Of a start that had to wait for somebody: it took the database for away at no time. */
  const expectHeldUpOnly = async (start: Start): Promise<void> => {
    const gatehouse = await start.listening;
    await expectStarted(gatehouse);
    expect(gatehouse.output()).not.toContain('waiting for it');
    expect(await gatehouse.stop()).toBe(0);
  };

  it('waits, is alive and not ready meanwhile, and starts when it appears, migrations and bootstrap included', async () => {
    await proxy.cut();
    const port = await freePort();
    const url = `http://127.0.0.1:${String(port)}`;
    const start = launchGatehouse({ env: { ...WITH_OWNER, DATABASE_URL: proxy.url, PORT: String(port), DIALECTS: 'chatops' } });
    await eventually(async () => { expect((await send(`GET ${url}/health`)).status).toBe(200); }, 20_000);
    expect((await send(`GET ${url}/health`)).body).toMatchObject({ status: 'ok', nativeApi: '/native/v1' });
    const ready = await send(`GET ${url}/health/ready`);
    expect([ready.status, ready.body]).toEqual([503, { status: 'unready', checks: { database: 'down', migrations: 'down' } }]);

    const native = await send(`POST ${url}/native/v1/auth/login`, { json: { identifier: OWNER.email, password: OWNER.password } });
    expect([native.status, native.body.code, native.headers.get('content-type')]).toEqual([503, 'unavailable', 'application/problem+json']);
    const dialect = await send(`GET ${url}/api/v1/auth/me?x=y`, { token: 'x' });
    expect([dialect.status, dialect.body]).toEqual([503, { detail: 'Service Unavailable' }]);
    for (const { headers } of [ready, native, dialect]) expect(headers.get('retry-after')).toMatch(/^\d+$/);

    await proxy.restore();
    const gatehouse = await start.listening;
    expect(gatehouse.url).toBe(url);
    await expectStarted(gatehouse);
    expect(gatehouse.output()).toMatch(/the database 127\.0\.0\.1:\d+\/suite_\w+ that DATABASE_URL names is away \(connect ECONNREFUSED .*waiting for it, up to 30 s/);
    expect(gatehouse.output().match(/waiting for it/g)).toHaveLength(1);
    expect(await gatehouse.stop()).toBe(0);
  });

  it('waits for one that neither answers nor refuses', async () => {
    proxy.swallow(true);
    const start = launchGatehouse({ env: { ...WITH_OWNER, DATABASE_URL: proxy.url, DATABASE_CONNECT_TIMEOUT_MS: '200' } });
    await eventually(() => { expect(start.output()).toContain('waiting for it'); }, 20_000);
    proxy.swallow(false);
    const gatehouse = await start.listening;
    await expectStarted(gatehouse);
    expect(await gatehouse.stop()).toBe(0);
  });

  it('gives up when the time is over, and says why', async () => {
    await proxy.cut();
    const { code, output } = await runGatehouse({ env: { DATABASE_URL: proxy.url, DATABASE_WAIT_SECONDS: '1' } });
    expect(code).toBe(1);
    expect(output).toMatch(/Gatehouse cannot start\.\n\nthe database .* cannot be used: connect ECONNREFUSED .* \(waited 1 s for it\)/);
  });

  it('ends at once on SIGTERM, and nothing is wrong', async () => {
    await proxy.cut();
    const start = launchGatehouse({ env: { DATABASE_URL: proxy.url, PORT: String(await freePort()) } });
    start.listening.catch(() => undefined);
    await eventually(() => { expect(start.output()).toContain('waiting for it'); }, 20_000);
    const since = performance.now();
    expect(await start.stop()).toBe(0);
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(start.output()).not.toContain('cannot start');
  });

  it('waits for its turn behind an instance that takes long over its bootstrap', async () => {
    const holder = await database.pool.connect();
    try {
      await holder.query('BEGIN');
      // Without parameters: the portal of a statement with some keeps its snapshot, for which building an index waits.
      await holder.query(`SELECT pg_advisory_xact_lock(${String(LOCKS.bootstrap)})`);
      const start = launchGatehouse({ env: { ...WITH_OWNER, DATABASE_URL: database.url, DATABASE_QUERY_TIMEOUT_MS: '200' } });
      // For longer than a statement may wait.
      const asked = new Set<number>();
      await eventually(async () => {
        const { rows } = await database.pool.query<{ at: Date }>(
          "SELECT query_start AS at FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory%'");
        for (const { at } of rows) asked.add(at.getTime());
        expect(Math.max(...asked) - Math.min(...asked)).toBeGreaterThan(600);
      }, 45_000);
      await holder.query('ROLLBACK');
      await expectHeldUpOnly(start);
    } finally {
      holder.release();
    }
  });

  it('migrates for as long as it takes, whatever limits the database sets to statements of others', async () => {
    await database.pool.query('CREATE TABLE migrations (id serial PRIMARY KEY, "timestamp" bigint NOT NULL, name varchar NOT NULL)');
    const holder = await database.pool.connect();
    try {
      await holder.query(`DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''1s''', current_database());
        EXECUTE format('ALTER DATABASE %I SET lock_timeout = ''1s''', current_database());
      END $$`);
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE migrations');
      const start = launchGatehouse({ env: { ...WITH_OWNER, DATABASE_URL: database.url } });
      await eventually(async () => {
        const { rowCount } = await database.pool.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query_start < clock_timestamp() - interval '1.5 seconds'");
        expect(rowCount).toBe(1);
      }, 45_000);
      await holder.query('ROLLBACK');
      await expectHeldUpOnly(start);
    } finally {
      holder.release();
    }
  });

  describe('lost in the middle of the start', () => {
    /** Holds a table so that the start gets stuck there, ends its connection when it is, and lets go. */
    const cutAt = async (table: string, statement: string, meanwhile: () => Promise<void>): Promise<Gatehouse> => {
      const holder = await database.pool.connect();
      try {
        await holder.query('BEGIN');
        await holder.query(`LOCK TABLE ${table} IN SHARE MODE`);
        const start = launchGatehouse({ env: { ...WITH_OWNER, DATABASE_URL: database.url } });
        await eventually(async () => {
          const { rowCount } = await database.pool.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1`, [statement]);
          expect(rowCount).toBe(1);
        }, 45_000);
        await eventually(() => { expect(start.output()).toContain('waiting for it'); });
        await meanwhile();
        await holder.query('ROLLBACK');
        return await start.listening;
      } finally {
        holder.release();
      }
    };
    const count = async (what: string): Promise<unknown> => (await database.pool.query(`SELECT count(*)::int AS count FROM ${what}`)).rows[0];

    it('while it migrates: nothing of the migration stays, and it is made anew', async () => {
      await database.pool.query('CREATE TABLE migrations (id serial PRIMARY KEY, "timestamp" bigint NOT NULL, name varchar NOT NULL)');
      const gatehouse = await cutAt('migrations', 'INSERT INTO "migrations"%', async () => {
        expect(await count("pg_tables WHERE tablename = 'users'")).toEqual({ count: 0 });
      });
      await expectStarted(gatehouse);
      expect(await gatehouse.stop()).toBe(0);
    });

    it('while it makes the first accounts: there is one owner in the end', async () => {
      await database.drop();
      database = await createDatabase();
      const gatehouse = await cutAt('audit_events', 'INSERT INTO audit_events%', async () => {
        expect(await count('users')).toEqual({ count: 0 });
      });
      await expectStarted(gatehouse);
      expect(await count('users')).toEqual({ count: 1 });
      expect(await gatehouse.stop()).toBe(0);
    });
  });
});
