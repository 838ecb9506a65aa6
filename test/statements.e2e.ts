import { Api, type Json, type RequestOptions } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { decodeJwt } from './support/jwt.js';
import { sendTogether } from './support/pipelined.js';
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

  it('requests that come together: one check, and of each what is its own', async () => {
    const { accessToken: token } = await api.login(OWNER.email, OWNER.password);
    const people = await Promise.all(['ann', 'bob', 'cat'].map(async (name) => {
      const user = { email: `${name}@example.com`, password: `a password of ${name}` };
      const { id } = await api.createUser(token, user);
      const { accessToken } = await api.login(user.email, user.password);
      return { id, token: accessToken, key: await api.createKey(accessToken, ['servers:read']) };
    }));
    const gone = await api.createKey(token, ['servers:read']);
    await api.call(`DELETE /api-keys/${gone.id as string}`, { token });
    const loggedOut = (await api.login(OWNER.email, OWNER.password)).accessToken;
    await api.call('POST /auth/logout', { token: loggedOut });
    const forKeys = [...people.map(({ key }) => key.key as string), gone.key as string, 'some-key-of-nobody'];
    const forTokens = [...people.map((person) => person.token), loggedOut, people[0]?.token ?? ''];
    const requests = [
      ...forKeys.map((key) => ({ path: '/api/v1/api-keys/current', headers: { 'x-api-key': key } })),
      ...forTokens.map((one) => ({ path: '/api/v1/auth/sessions', headers: { authorization: `Bearer ${one}` } })),
    ];
    for (let round = 0; round < 3; round += 1) {
      counter.take();
      const answers = await sendTogether(gatehouse.url, requests);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 401, 401, 200, 200, 200, 401, 200]);
      expect(answers.slice(0, 3).map(({ body }) => body.id)).toEqual(people.map(({ key }) => key.id));
      const current = [5, 6, 7, 9].map((at) => (answers[at]?.body.items as Json[]).find((session) => session.current === true)?.id);
      expect(current).toEqual([...people, people[0]].map((person) => decodeJwt(person?.token ?? '').claims['sid']));
      const checks = counter.take().filter((statement) => statement.includes('= ANY(ARRAY'));
      // One for the keys, one for the sessions.
      if (cache === 'off') expect(checks).toHaveLength(2);
    }
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

  it('refreshes that come together: one statement, and of each what is its own', async () => {
    const sessions = await Promise.all([1, 2, 3].map(() => api.login(OWNER.email, OWNER.password)));
    const stranger = await api.login(OWNER.email, OWNER.password);
    await api.call('POST /auth/logout', { token: stranger.accessToken });
    let tokens = [...sessions.map(({ refreshToken }) => refreshToken), stranger.refreshToken];
    for (let round = 0; round < 3; round += 1) {
      counter.take();
      const answers = await sendTogether(gatehouse.url, tokens.map((refreshToken) => ({ path: '/api/v1/auth/refresh', json: { refreshToken } })));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 401]);
      expect(sessions.map(({ accessToken }) => decodeJwt(accessToken).claims['sid']))
        .toEqual(answers.slice(0, 3).map(({ body }) => decodeJwt(body.accessToken as string).claims['sid']));
      tokens = [...answers.slice(0, 3).map(({ body }) => body.refreshToken as string), stranger.refreshToken];
      const statements = counter.take().filter((statement) => /UPDATE sessions\s+s\b/.test(statement));
      // The second is for the one that was refused: it could have been held by somebody.
      expect(statements.map((statement) => statement.includes('unnest'))).toEqual([true, false]);
    }
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
