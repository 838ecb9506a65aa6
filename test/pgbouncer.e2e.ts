import { Api, eventually, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, runGatehouse, startGatehouse } from './support/gatehouse.js';
import { person } from './support/people.js';
import { hasPgBouncer, type PgBouncer, startPgBouncer } from './support/pgbouncer.js';
import { OWNER, WITH_OWNER } from './support/suite.js';

(hasPgBouncer() ? describe : describe.skip)('behind PgBouncer, which hands out connections a transaction at a time', () => {
  let database: TestDatabase;
  let pooler: PgBouncer;
  let instances: Gatehouse[];
  let apis: [Api, Api];
  let token: string;

  beforeAll(async () => {
    database = await createDatabase('empty');
    pooler = await startPgBouncer(database.url);
    // Two instances start at once on an empty database: migrations and bootstrap take turns through the pooler too.
    instances = await Promise.all([1, 2].map(() => startGatehouse({ env: { ...WITH_OWNER, DATABASE_URL: pooler.url } })));
    apis = instances.map((gatehouse) => new Api(gatehouse)) as [Api, Api];
    token = (await apis[0].login(OWNER.email, OWNER.password)).accessToken;
  });

  afterAll(async () => {
    for (const gatehouse of instances) expect(await gatehouse.stop()).toBe(0);
    await pooler.remove();
    await database.drop();
  });

  it('made one owner, of two instances that started together', async () => {
    expect((await database.pool.query('SELECT count(*)::int AS count FROM users')).rows).toEqual([{ count: 1 }]);
  });

  it('guards requests on both, many at a time, and a revocation counts on both', async () => {
    const guarded = (apiKey: string): Promise<number[]> => Promise.all(Array.from({ length: 60 }, async (_, at) => {
      const api = apis[at % 2]!;
      return (at % 3 === 0 ? await api.call('GET /auth/me', { token }) : await api.call('GET /api-keys/current', { apiKey })).status;
    }));
    const { id, key } = (await apis[0].createKey(token, ['servers:read'])) as { id: string; key: string };
    for (let round = 0; round < 3; round += 1) expect(new Set(await guarded(key))).toEqual(new Set([200]));
    expect((await apis[0].call(`DELETE /api-keys/${id}`, { token })).status).toBe(204);
    for (const api of apis) expect((await api.call('GET /api-keys/current', { apiKey: key })).status).toBe(401);
  });

  it('rotates refresh tokens: of many at once there is one successor', async () => {
    let { refreshToken } = await apis[0].login(OWNER.email, OWNER.password);
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => (apis[at % 2]!).call('POST /auth/refresh', { json: { refreshToken } })));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      const successors = new Set(answers.map(({ body }) => body.refreshToken as string));
      expect(successors.size).toBe(1);
      [refreshToken = ''] = successors;
    }
  });

  it('counts parallel guesses on both instances as five', async () => {
    const { email } = await person(apis[0], token, 'member');
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) =>
      (apis[at % 2]!).call('POST /auth/login', { json: { identifier: email, password: 'a wrong password' } })));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array<number>(5).fill(401), ...Array<number>(15).fill(423)]);
  });

  describe('a statement that waits for a lock', () => {
    /** Locks rows until nobody waits for them any more, and what was begun is answered. */
    const whileLocked = async (lock: string, values: unknown[], request: () => Promise<{ status: number }>): Promise<number> => {
      const holder = await database.pool.connect();
      try {
        await holder.query('BEGIN');
        await holder.query(lock, values);
        const { status } = await request();
        await eventually(async () => {
          const { rows } = await holder.query("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
          expect(rows).toEqual([]);
        });
        return status;
      } finally {
        await holder.query('ROLLBACK');
        holder.release();
      }
    };

    it('is ended in its transaction', async () => {
      const { rows: before } = await database.pool.query('SELECT name, updated_at FROM users WHERE email = $1', [OWNER.email]);
      expect(await whileLocked('SELECT FROM users WHERE email = $1 FOR UPDATE', [OWNER.email],
        () => apis[0].call('PATCH /auth/me', { token, json: { name: 'Somebody else' } }))).toBe(503);
      expect((await database.pool.query('SELECT name, updated_at FROM users WHERE email = $1', [OWNER.email])).rows).toEqual(before);
      expect(instances[0]?.output()).toContain('canceling statement due to statement timeout');
    });

    it('is cancelled where it is one by itself, and not carried out later', async () => {
      const { refreshToken } = await apis[0].login(OWNER.email, OWNER.password);
      const [session = ''] = refreshToken.split('.');
      const counter = async (): Promise<unknown> =>
        (await database.pool.query("SELECT refresh_counter FROM sessions WHERE revoked_at IS NULL ORDER BY id DESC LIMIT 1")).rows;
      expect(session).not.toBe('');
      expect(await whileLocked('SELECT FROM sessions FOR UPDATE', [], () => apis[0].call('POST /auth/refresh', { json: { refreshToken } }))).toBe(503);
      expect(await counter()).toEqual([{ refresh_counter: 0 }]);
      expect((await apis[1].call('POST /auth/refresh', { json: { refreshToken } })).status).toBe(200);
    });
  });

  it('answers 503 while the pooler is away, and comes back by itself', async () => {
    await pooler.stop();
    expect((await apis[0].call('GET /auth/me', { token })).status).toBe(503);
    expect((await send(`GET ${apis[0].gatehouse.url}/health/ready`)).status).toBe(503);
    await pooler.start();
    await eventually(async () => { for (const api of apis) expect((await api.call('GET /auth/me', { token })).status).toBe(200); });
  });

  it('says what is wrong when it was told that there is no pooler', async () => {
    const { code, output } = await runGatehouse({ env: { DATABASE_URL: pooler.url, DATABASE_POOLER: 'false' } });
    expect(code).toBe(1);
    expect(output).toMatch(/there is a pooler in between, so DATABASE_POOLER must not be false/);
  });
});
