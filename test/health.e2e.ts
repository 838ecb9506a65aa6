import { Api, eventually, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { OWNER, WITH_OWNER } from './support/suite.js';
import { openProxy, type TcpProxy } from './support/tcp-proxy.js';

describe('when the database goes away', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let gatehouse: Gatehouse;
  let api: Api;
  let token: string;
  let key: string;

  beforeAll(async () => {
    database = await createDatabase();
    proxy = await openProxy(database.url);
    gatehouse = await startGatehouse({ env: { ...WITH_OWNER, DATABASE_URL: proxy.url, REGISTRATION: 'open' } });
    api = new Api(gatehouse);
    token = (await api.login(OWNER.email, OWNER.password)).accessToken;
    key = ((await api.createKey(token, ['users:read'])) as { key: string }).key;
  });

  afterAll(async () => {
    await proxy.restore().catch(() => undefined);
    await gatehouse.stop();
    await proxy.cut();
    await database.drop();
  });

  const ready = () => send(`GET ${gatehouse.url}/health/ready`);

  it('is alive and ready while it is there', async () => {
    expect((await send(`GET ${gatehouse.url}/health`)).body).toEqual({
      status: 'ok', timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string, version: expect.any(String) as string, nativeApi: '/api/v1',
    });
    const { status, body } = await ready();
    expect([status, body]).toEqual([200, { status: 'ready', checks: { database: 'up', migrations: 'up' } }]);
  });

  it('is not ready while a migration is missing', async () => {
    await database.pool.query("UPDATE migrations SET name = name || ' (gone)'");
    const { status, body } = await ready();
    await database.pool.query("UPDATE migrations SET name = replace(name, ' (gone)', '')");
    expect([status, body.checks]).toEqual([503, { database: 'up', migrations: 'down' }]);
  });

  it('stays alive, says so within two seconds, answers 503 and comes back by itself', async () => {
    // Idle connections of the pool are cut: nobody is listening for their errors but the pool.
    await proxy.cut();
    const since = Date.now();
    const { status, body, headers } = await ready();
    expect([status, body]).toEqual([503, { status: 'unready', checks: { database: 'down', migrations: 'down' } }]);
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
    expect(Date.now() - since).toBeLessThan(2_900);
    expect((await send(`GET ${gatehouse.url}/health`)).status).toBe(200);

    const routes: [string, object][] = [
      ['GET /auth/me', { token }],
      ['GET /users', { apiKey: key }],
      ['POST /api-keys', { token, json: { name: 'x', scopes: ['*'] } }],
      ['POST /auth/login', { json: { identifier: OWNER.email, password: OWNER.password } }],
      ['POST /auth/register', { json: { email: 'new@example.com', password: 'three random words 42' } }],
      ['GET /auth/status', {}],
    ];
    for (const [route, options] of routes) {
      const answer = await api.call(route, options);
      expect([route, answer.status, answer.body.code]).toEqual([route, 503, 'unavailable']);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    }
    const setUp = await send(`POST ${gatehouse.url}/setup`, { json: { token: 'x', username: 'x', password: 'three random words 42' } });
    expect(setUp.status).toBe(503);

    await proxy.restore();
    await eventually(async () => { expect((await ready()).status).toBe(200); });
    expect((await api.call('GET /auth/me', { token })).status).toBe(200);
    expect(gatehouse.process.exitCode).toBeNull();
  });

  it('survives connections that are cut in the middle of their work', async () => {
    const logins = Array.from({ length: 6 }, () => api.call('POST /auth/login', { json: { identifier: OWNER.email, password: OWNER.password } }));
    await database.pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
    for (const { status } of await Promise.all(logins)) expect([200, 503]).toContain(status);
    await eventually(async () => { expect((await api.call('GET /auth/me', { token })).status).toBe(200); });
  });

  it('is not ready when the database neither answers nor closes', async () => {
    proxy.freeze(true);
    const since = Date.now();
    expect((await ready()).status).toBe(503);
    expect(Date.now() - since).toBeLessThan(2_900);
    expect((await send(`GET ${gatehouse.url}/health`)).status).toBe(200);
    proxy.freeze(false);
    await eventually(async () => { expect((await ready()).status).toBe(200); });
  });
});
