import { Api, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { WITH_OWNER } from './support/suite.js';

const KEY = 'a-first-key-for-ci-0123456789-0123456789';

describe('two processes that start at once on an empty database', () => {
  let database: TestDatabase;
  let servers: Gatehouse[] = [];

  beforeEach(async () => {
    database = await createDatabase('empty');
  });
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await database.drop();
  });

  const startBoth = async (env: Record<string, string> = {}): Promise<Api[]> => {
    servers = await Promise.all([0, 1].map(() => startGatehouse({ env: { DATABASE_URL: database.url, ...env } })));
    return servers.map((server) => new Api(server));
  };
  const count = async (statement: string): Promise<number> =>
    Number((await database.pool.query<{ count: string }>(`SELECT count(*) FROM ${statement}`)).rows[0]?.count);

  it('migrate once, and make one owner, one admin and one key', async () => {
    const both = await startBoth({ ...WITH_OWNER, ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'admin', BOOTSTRAP_API_KEY: KEY });
    expect(await count(`users WHERE role = 'owner'`)).toBe(2);
    expect(await count('users')).toBe(2);
    expect(await count('api_keys')).toBe(1);
    expect(await count(`migrations GROUP BY name HAVING count(*) > 1`)).toBeNaN();
    expect(await count(`audit_events WHERE action LIKE 'bootstrap.%'`)).toBe(3);
    for (const api of both) {
      await api.login(WITH_OWNER.BOOTSTRAP_OWNER_EMAIL, WITH_OWNER.BOOTSTRAP_OWNER_PASSWORD);
      await api.login('admin@example.com', 'admin');
      expect((await api.call('GET /api-keys/current', { apiKey: KEY })).status).toBe(200);
    }
  });

  it('let one of many claims make the owner', async () => {
    const both = await startBoth();
    const claims = Array.from({ length: 8 }, (_, index) => {
      const { url, claimToken } = servers[index % 2]!;
      const json = { token: claimToken, email: `owner${String(index)}@example.com`, password: 'plenty of words 42' };
      return send(`POST ${url}/setup`, { json });
    });
    const answers = await Promise.all(claims);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403, 403, 403, 403, 403]);
    expect(await count(`users WHERE role = 'owner'`)).toBe(1);
    const winner = answers.findIndex(({ status }) => status === 201);
    await both[1 - (winner % 2)]!.login(`owner${String(winner)}@example.com`, 'plenty of words 42');
  });
});
