import { Api, eventually, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse, TEST_JWT_SECRET } from './support/gatehouse.js';
import { openProxy, type TcpProxy } from './support/tcp-proxy.js';

const PASSWORDS = {
  owner: 'Owner*secret*words*1', member: 'Member*secret*words*2', next: 'Next*secret*words*3', wrong: 'Wrong*secret*words*4',
  malformed: 'Malformed*secret*words*5', chosen: 'Chosen*secret*words*6', misplaced: 'Misplaced*secret*words*7',
};

/** One of each thing that somebody does, with every secret there is, also where it does not belong. */
describe('the log of a whole journey', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let gatehouse: Gatehouse;
  const secrets = new Map<string, string>();
  let claimToken = '';
  let metrics = '';

  const keep = (what: string, secret: unknown): string => {
    if (typeof secret !== 'string' || secret.length < 12) throw new Error(`there is no ${what}`);
    secrets.set(`${what} ${String(secrets.size)}`, secret);
    return secret;
  };

  beforeAll(async () => {
    database = await createDatabase();
    proxy = await openProxy(database.url);
    gatehouse = await startGatehouse({ env: { DATABASE_URL: proxy.url, REGISTRATION: 'open', LOG_LEVEL: 'trace', BOOTSTRAP_API_KEY: keep('imported key', 'ci-8f3b1c6d2a9e4075b6c1d8e2f3a4b5c6') } });
    claimToken = gatehouse.claimToken ?? '';
    keep('signing secret', TEST_JWT_SECRET);
    keep('database password', new URL(database.url).password);
    for (const password of Object.values(PASSWORDS)) keep('password', password);
    await journey(new Api(gatehouse));
  }, 120_000);

  afterAll(async () => {
    await gatehouse.stop();
    await proxy.cut();
    await database.drop();
  });

  async function journey(api: Api): Promise<void> {
    const expectStatus = async (status: number | number[], ...request: Parameters<Api['call']>) => {
      const answer = await api.call(...request);
      if (![status].flat().includes(answer.status)) throw new Error(`${request[0]} answered ${String(answer.status)}: ${JSON.stringify(answer.body)}`);
      for (const cookie of answer.headers.getSetCookie()) keep('cookie', /=([^;]+)/.exec(cookie)?.[1]);
      return answer;
    };
    // Setting up, registering, signing in both ways.
    await send(`POST ${gatehouse.url}/setup`, { json: { token: keep('wrong claim', 'wrong-claim-token-0123456789'), email: 'o@example.com', password: PASSWORDS.owner } });
    const owner = await send(`POST ${gatehouse.url}/setup`, { json: { token: claimToken, email: 'o@example.com', username: 'owner', password: PASSWORDS.owner } });
    expect(owner.status).toBe(201);
    const registered = await expectStatus(201, 'POST /auth/register', { json: { email: 'm@example.com', password: PASSWORDS.member } });
    keep('access token', registered.body.accessToken);
    const form = await expectStatus(200, 'POST /auth/login', { form: { username: 'owner', password: PASSWORDS.owner } });
    const token = keep('access token', form.body.access_token);
    const login = await expectStatus(200, 'POST /auth/login', { json: { email: 'o@example.com', password: PASSWORDS.owner, rememberMe: true } });
    keep('access token', login.body.accessToken);
    const refreshToken = keep('refresh token', login.body.refreshToken);
    const refreshed = await expectStatus(200, 'POST /auth/refresh', { json: { refreshToken } });
    keep('refresh token', refreshed.body.refreshToken);
    keep('access token', refreshed.body.accessToken);
    await expectStatus(200, 'GET /auth/me', { token });
    // Wrong and malformed.
    await expectStatus(401, 'POST /auth/login', { json: { identifier: 'owner', password: PASSWORDS.wrong } });
    await expectStatus(401, 'POST /auth/login', { json: { identifier: PASSWORDS.misplaced, password: PASSWORDS.wrong } });
    await expectStatus(422, 'POST /auth/login', { json: { identifier: 'owner', password: PASSWORDS.malformed, [PASSWORDS.misplaced]: refreshToken } });
    await expectStatus(400, 'POST /auth/login', { raw: `{"password":"${PASSWORDS.malformed}`, headers: { 'content-type': 'application/json' } });
    await expectStatus(415, 'POST /auth/refresh', { form: { refreshToken } });
    await expectStatus(401, 'GET /auth/me', { token: keep('bad token', `${token.slice(0, -6)}AAAAAA`) });
    await expectStatus(401, 'GET /auth/me', { headers: { authorization: `Basic ${keep('basic', Buffer.from(`owner:${PASSWORDS.owner}`).toString('base64'))}` } });
    await expectStatus(422, 'POST /auth/me/password', { token, json: { currentPassword: PASSWORDS.wrong, newPassword: PASSWORDS.next } });
    await expectStatus(204, 'POST /auth/me/password', { token, json: { currentPassword: PASSWORDS.owner, newPassword: PASSWORDS.next } });
    await expectStatus(201, 'POST /users', { token, json: { username: 'made', password: PASSWORDS.chosen } });
    await expectStatus(409, 'POST /users', { token, json: { username: 'made', password: PASSWORDS.chosen } });
    // Keys.
    const made = await api.createKey(token, ['users:read']) as { id: string; key: string };
    const key = keep('key', made.key);
    await expectStatus(200, 'GET /users', { apiKey: key });
    await expectStatus(200, 'GET /users', { token: key });
    const rotated = await expectStatus(201, `POST /api-keys/${made.id}/rotate`, { token, json: { overlapSeconds: 60 } });
    keep('key', rotated.body.key);
    await expectStatus(204, `DELETE /api-keys/${made.id}`, { token });
    await expectStatus(401, 'GET /users', { apiKey: key });
    await expectStatus(401, 'GET /users', { apiKey: keep('bad key', `${key.slice(0, -1)}_`) });
    // In the wrong place: the path, its parameters, the query, the encoded path, a cookie, the matrix parameters.
    for (const secret of [key, token, refreshToken]) {
      for (const path of [`/${secret}`, `/users/${secret}`, `/users?search=${secret}`, `/auth/me;token=${secret}`, `/users/%20${secret}`, `/%zz${secret}`, `/users#${secret}`, `/auth/me?access_token=${secret}`]) {
        await api.call(`GET ${path}`, { headers: { cookie: `token=${secret}`, referer: `http://x/${secret}`, 'user-agent': secret, traceparent: `00-${secret}`, tracestate: secret } });
      }
    }
    // The database is away.
    await proxy.cut();
    await expectStatus(503, 'POST /auth/login', { json: { identifier: 'owner', password: PASSWORDS.next } });
    await expectStatus(503, 'POST /auth/register', { json: { email: 'x@example.com', password: PASSWORDS.chosen } });
    await expectStatus(503, 'GET /auth/me', { token });
    await expectStatus(503, 'GET /users', { apiKey: key });
    await expectStatus(503, 'POST /auth/refresh', { json: { refreshToken } });
    await proxy.restore();
    // A fault of the schema: statements that fail have secrets among their values.
    await database.pool.query('ALTER TABLE users RENAME COLUMN last_login_at TO gone');
    await expectStatus(500, 'POST /auth/login', { json: { identifier: 'owner', password: PASSWORDS.next } });
    await expectStatus(500, 'POST /users', { token, json: { username: 'x', password: PASSWORDS.chosen } });
    await database.pool.query('ALTER TABLE users RENAME COLUMN gone TO last_login_at');
    await database.pool.query('ALTER TABLE api_keys RENAME COLUMN key_hash TO gone');
    await expectStatus(500, 'GET /users', { apiKey: key });
    await expectStatus(500, 'POST /api-keys', { token, json: { name: 'x', scopes: ['*'] } });
    await database.pool.query('ALTER TABLE api_keys RENAME COLUMN gone TO key_hash');
    const { rows } = await database.pool.query<{ hash: string }>(
      `SELECT password_hash AS hash FROM users WHERE password_hash IS NOT NULL UNION ALL SELECT encode(key_hash, form) FROM api_keys, unnest(ARRAY['hex', 'base64']) AS form`);
    for (const { hash } of rows) keep('hash', hash);
    await eventually(() => { expect(gatehouse.output()).toContain('a request failed'); });
    metrics = (await expectStatus(200, 'GET /../../metrics', { token })).body as string;
  }

  it('has the journey in it', () => {
    expect(gatehouse.output().match(/"msg":"request"/g)?.length).toBeGreaterThan(50);
    expect(secrets.size).toBeGreaterThan(30);
  });

  it('holds none of the secrets, and neither do the metrics', () => {
    expect(metrics).toContain('gatehouse_http_requests_total{');
    const output = gatehouse.output() + metrics;
    const found = [...secrets].filter(([, secret]) => [secret, encodeURIComponent(secret)].some((text) => output.includes(text)));
    expect(found.map(([what]) => what)).toEqual([]);
  });

  it('holds the claim token once, in the banner', () => {
    expect(claimToken.length).toBeGreaterThan(40);
    expect(gatehouse.output().split(claimToken)).toHaveLength(2);
    expect(gatehouse.output().split('\n').find((line) => line.includes(claimToken))).toMatch(/^ {4}-d /);
  });
});
