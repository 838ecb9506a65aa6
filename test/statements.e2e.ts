import { Api, type RequestOptions } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.js';
import { BACKGROUND, openCounter, type StatementCounter } from './support/statement-counter.js';
import { OWNER, WITH_OWNER } from './support/suite.js';

/** What one call costs PostgreSQL is decided here, not found out under load. */
function statementsWith(cache: 'memory' | 'redis' | 'off'): void {
  let redis: TestRedis | null = null;
  let database: TestDatabase;
  let counter: StatementCounter;
  let gatehouse: Gatehouse;
  let api: Api;

  beforeAll(async () => {
    database = await createDatabase();
    counter = await openCounter(database.url);
    redis = cache === 'redis' ? await startRedis() : null;
    const shared = redis === null ? {} : { REDIS_URL: redis.url };
    gatehouse = await startGatehouse({ env: { DATABASE_URL: counter.url, PRINCIPAL_CACHE: cache, ...shared, ...WITH_OWNER } });
    api = new Api(gatehouse);
  });
  afterAll(async () => {
    await gatehouse.stop();
    await counter.close();
    await database.drop();
    await redis?.stop();
  });

  /** The statements that a call takes. */
  async function statementsOf(target: string, options: RequestOptions, status: number): Promise<string[]> {
    counter.take();
    expect((await api.call(target, options)).status).toBe(status);
    return counter.take().filter((statement) => !BACKGROUND.test(statement));
  }

  const checked = cache === 'off' ? 1 : 0;
  const login = { identifier: OWNER.email, password: OWNER.password };

  it('login: find the account, count the attempt, read the hash, note the login, begin the session', async () => {
    await api.login(OWNER.email, OWNER.password);
    const statements = await statementsOf('POST /auth/login', { json: login }, 200);
    expect(statements).toHaveLength(5);
  });

  it('a guarded request, once its session is known', async () => {
    const { accessToken: token } = await api.login(OWNER.email, OWNER.password);
    await api.call('GET /auth/sessions', { token });
    // The list is one statement; what is beyond it is the check.
    expect(await statementsOf('GET /auth/sessions', { token }, 200)).toHaveLength(1 + checked);
    expect(await statementsOf('POST /users/not-a-uuid/unlock', { token }, 422)).toHaveLength(checked);
  });

  it('a request with an API key, once the key is known', async () => {
    const { accessToken: token } = await api.login(OWNER.email, OWNER.password);
    const { key: apiKey } = await api.createKey(token, ['users:read']);
    // The first tells where in Redis to look for it, the second puts it there.
    for (let n = 0; n < 2; n++) await api.call('GET /users/not-a-uuid', { apiKey });
    expect(await statementsOf('GET /users/not-a-uuid', { apiKey }, 422)).toHaveLength(checked);
  });

  it('me: the account, and the check together with it where nothing is remembered', async () => {
    const { accessToken: token } = await api.login(OWNER.email, OWNER.password);
    await api.call('GET /auth/me', { token });
    expect(await statementsOf('GET /auth/me', { token }, 200)).toHaveLength(1);
  });

  it('refresh', async () => {
    const { refreshToken } = await api.login(OWNER.email, OWNER.password);
    expect(await statementsOf('POST /auth/refresh', { json: { refreshToken } }, 200)).toHaveLength(1);
  });

  it('logout', async () => {
    const { accessToken: token } = await api.login(OWNER.email, OWNER.password);
    await api.call('GET /auth/sessions', { token });
    expect(await statementsOf('POST /auth/logout', { token }, 204)).toHaveLength(1 + checked);
  });
}

describe('statements a call, remembering in this process', () => { statementsWith('memory'); });
describeWithRedis('statements.e2e.ts')('statements a call, remembering in Redis', () => { statementsWith('redis'); });
describe('statements a call, remembering nothing', () => { statementsWith('off'); });
