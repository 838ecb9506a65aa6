import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type Answer, type Json, type RequestOptions, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { rawRequest } from './support/raw-request.js';
import { WITH_OWNER } from './support/suite.js';

const LOCAL = { email: 'admin@local', password: 'changeme' };
const error = (text: string) => ({ success: false, error: text });
const CLOSED = { status: 403, body: error('First-run setup already completed.') };
const ELSEWHERE = { 'x-forwarded-for': '192.0.2.1' };
const DEFAULT_PASSWORD = 'The password is still the default one: sign in on the machine itself and change it.';
const LISTENS_HERE = 'The account admin@local still has its default password, so the server listens on this machine alone';
const PRODUCT = ['--import', '@swc-node/register/esm-register', join(__dirname, 'support', 'workspace-app', 'main.ts')];
/** An address of this machine that is not its loopback. */
const outside = Object.values(networkInterfaces()).flat().find((one) => one?.family === 'IPv4' && !one.internal)?.address;

/** Every test has a database of its own, for what is tested is a first start. */
describe('the set-up of asyncat', () => {
  let database: TestDatabase;
  const servers: Gatehouse[] = [];

  beforeEach(async () => {
    database = await createDatabase();
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await database.drop();
  });

  const start = async (env: Record<string, string | undefined> = {}): Promise<Gatehouse> => {
    const server = await startGatehouse({ env: { DATABASE_URL: database.url, DIALECTS: 'asyncat', ...env } });
    servers.push(server);
    return server;
  };
  const call = async (server: Gatehouse, target: string, options: RequestOptions = {}): Promise<{ status: number; body: Json }> => {
    const [method = '', path = ''] = target.split(' ');
    const { status, body }: Answer<Json> = await send(`${method} ${server.url}/api/auth${path}`, options);
    return { status, body };
  };
  const isFirstRun = async (server: Gatehouse): Promise<unknown> => (await call(server, 'GET /status')).body.isFirstRun;

  it('seeds an owner, and opens no claim', async () => {
    const server = await start();
    expect(server.output()).not.toContain('/setup');
    const { rows } = await database.pool.query('SELECT email, name, role, (SELECT count(*)::int FROM setup_claims) AS claims FROM users');
    expect(rows).toEqual([{ email: 'admin@local', name: null, role: 'owner', claims: 0 }]);
  });

  it('signs in without a credential while it is open, on this machine', async () => {
    const server = await start();
    const { status, body } = await call(server, 'POST /first-run', { headers: { 'content-type': 'application/json' } });
    expect({ status, body }).toEqual({
      status: 200,
      body: { success: true, token: expect.any(String), user: { id: expect.any(String), email: 'admin@local', name: null, profile_picture: null } },
    });
    expect((await call(server, 'GET /me', { token: body.token as string })).status).toBe(200);
    expect(await isFirstRun(server)).toBe(true);
  });

  it('is for this machine alone, past no proxy and under no other name', async () => {
    const server = await start();
    const others: Record<string, string>[] = [ELSEWHERE, { forwarded: 'for=127.0.0.1' }, { 'x-real-ip': '127.0.0.1' }, { host: 'evil.example' }];
    for (const headers of others) {
      const asked = await rawRequest(`POST ${server.url}/api/auth/first-run`, headers);
      const firstRun = { headers, status: asked.status, body: asked.body };
      expect(firstRun).toEqual({ headers, status: 403, body: error('Until the set-up is complete, only this machine may do that.') });
      const login = await rawRequest(`POST ${server.url}/api/auth/login`, { ...headers, 'content-type': 'application/json' }, JSON.stringify(LOCAL));
      expect({ headers, status: login.status, body: login.body }).toEqual({ headers, status: 403, body: error(DEFAULT_PASSWORD) });
    }
  });

  it('is for others where ALLOW_REMOTE_FIRST_RUN says so', async () => {
    const server = await start({ ALLOW_REMOTE_FIRST_RUN: 'true' });
    expect((await call(server, 'POST /first-run', { headers: ELSEWHERE })).status).toBe(200);
    expect((await call(server, 'POST /login', { json: LOCAL, headers: ELSEWHERE })).status).toBe(403);
  });

  it('is closed by a new password, and with it the sessions of the first run', async () => {
    const server = await start();
    const { body: { token } } = await call(server, 'POST /first-run');
    const { body: changed } = await call(server, 'PUT /local-account', { token: token as string, json: { password: 'three random words' } });
    expect(await call(server, 'POST /first-run')).toEqual(CLOSED);
    expect(await call(server, 'POST /first-run', { headers: ELSEWHERE })).toEqual(CLOSED);
    expect(await isFirstRun(server)).toBe(false);
    expect((await call(server, 'GET /me', { token: token as string })).status).toBe(401);
    expect((await call(server, 'GET /me', { token: changed.token as string })).status).toBe(200);
  });

  it('leaves no session behind that came in beside the change of the password', async () => {
    const server = await start();
    const { body: { token } } = await call(server, 'POST /first-run');
    const runs = Promise.all(Array.from({ length: 20 }, () => call(server, 'POST /first-run')));
    const change = call(server, 'POST /update-password', { token: token as string, json: { password: 'three random words' } });
    const [answers] = await Promise.all([runs, change]);
    const tokens = answers.flatMap(({ body }) => ((body as { token?: string }).token ?? []));
    const after = await Promise.all(tokens.map(async (one) => (await call(server, 'GET /me', { token: one })).status));
    expect(after.filter((status) => status !== 401)).toEqual([]);
  });

  it('is closed for good once a module says that it is complete', async () => {
    const another = await start();
    const product = await startGatehouse({ program: PRODUCT, env: { DATABASE_URL: database.url, DIALECTS: 'asyncat' } });
    servers.push(product);
    const { body: { token } } = await call(product, 'POST /first-run');
    for (const time of ['once', 'twice']) {
      expect({ time, status: (await send(`POST ${product.url}/workspaces`, { token: token as string })).status }).toEqual({ time, status: 204 });
    }
    expect(await Promise.all([product, another].map((server) => call(server, 'POST /first-run')))).toEqual([CLOSED, CLOSED]);
    expect((await call(product, 'GET /me', { token: token as string })).status).toBe(200);
    await another.stop();
    expect(await isFirstRun(await start())).toBe(false);
  });

  it('takes another address and password, and is complete from the start then', async () => {
    const server = await start({ LOCAL_EMAIL: 'me@home', LOCAL_PASSWORD: 'my own', HOST: '0.0.0.0' });
    expect((await call(server, 'GET /status')).body).toEqual({ success: true, mode: 'local', localEmail: 'me@home', isFirstRun: false });
    expect(await call(server, 'POST /first-run')).toEqual(CLOSED);
    expect((await call(server, 'POST /login', { json: { email: 'me@home', password: 'my own' }, headers: ELSEWHERE })).status).toBe(200);
    expect(server.output()).not.toContain('default password');
    await server.stop();
    // The password that was chosen then does not become everybody's because the variable is gone.
    expect(await call(await start(), 'POST /first-run')).toEqual(CLOSED);
  });

  it.each([
    ['BOOTSTRAP_OWNER_*', WITH_OWNER],
    ['ADMIN_*', { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'x' }],
  ])('seeds nobody beside %s', async (_, env) => {
    const server = await start(env);
    expect((await database.pool.query('SELECT FROM users')).rowCount).toBe(1);
    expect(await call(server, 'POST /first-run')).toEqual(CLOSED);
    expect((await call(server, 'POST /login', { json: LOCAL })).status).toBe(401);
    expect(await isFirstRun(server)).toBe(false);
    const [{ email }] = (await database.pool.query<{ email: string | null }>('SELECT email FROM users')).rows as [{ email: string | null }];
    expect((await call(server, 'GET /status')).body.localEmail).toBe(email ?? 'admin@local');
  });

  it('seeds one account when several instances start at once', async () => {
    await Promise.all([start(), start(), start()]);
    expect((await database.pool.query('SELECT FROM users')).rowCount).toBe(1);
    expect(servers.map(({ claimToken }) => claimToken)).toEqual([null, null, null]);
  });

  describe('with the default password', () => {
    const url = (server: Gatehouse): string => `http://${String(outside)}:${new URL(server.url).port}/health`;

    it('listens on this machine alone, and says so, until it is changed', async () => {
      const server = await start({ HOST: '0.0.0.0' });
      expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
      expect(server.output()).toContain(`${LISTENS_HERE} (127.0.0.1, not HOST=0.0.0.0).`);
      if (outside !== undefined) await expect(send(`GET ${url(server)}`)).rejects.toThrow();
      const { body } = await call(server, 'POST /login', { json: LOCAL });
      await call(server, 'POST /update-password', { token: body.token as string, json: { password: 'three random words' } });
      await server.stop();
      const again = await start({ HOST: '0.0.0.0' });
      expect(again.output()).not.toContain('default password');
      if (outside !== undefined) expect((await send(`GET ${url(again)}`)).status).toBe(200);
    });

    it('is as careful about a LOCAL_PASSWORD that is the same', async () => {
      const server = await start({ LOCAL_PASSWORD: 'changeme' });
      expect(server.output()).toContain(LISTENS_HERE);
      expect(await isFirstRun(server)).toBe(false);
      expect((await call(server, 'POST /login', { json: LOCAL, headers: ELSEWHERE })).status).toBe(403);
    });

    it('is refused to others on every wire, also where the dialect is no longer mounted', async () => {
      await (await start()).stop();
      const server = await start({ DIALECTS: undefined, HOST: '0.0.0.0' });
      expect(server.output()).toContain(LISTENS_HERE);
      const login = (headers: Record<string, string>) => send(`POST ${server.api}/auth/login`, { json: LOCAL, headers });
      const refused = await login(ELSEWHERE);
      expect({ status: refused.status, code: refused.body.code }).toEqual({ status: 403, code: 'local_only' });
      expect((await login({})).status).toBe(200);
    });

    it('counts no refusal as a wrong guess, and answers a wrong guess as any', async () => {
      const server = await start();
      for (let time = 0; time < 6; time++) expect((await call(server, 'POST /login', { json: LOCAL, headers: ELSEWHERE })).status).toBe(403);
      expect((await call(server, 'POST /login', { json: { ...LOCAL, password: 'wrong' }, headers: ELSEWHERE })).status).toBe(401);
      expect((await call(server, 'POST /login', { json: LOCAL })).status).toBe(200);
    });

    it('lets everybody in where ALLOW_DEFAULT_PASSWORD says so, with a warning', async () => {
      const server = await start({ ALLOW_DEFAULT_PASSWORD: 'true', HOST: '0.0.0.0' });
      expect(server.output()).toContain('WARNING: the account admin@local still has its default password');
      expect((await call(server, 'POST /login', { json: LOCAL, headers: ELSEWHERE })).status).toBe(200);
    });
  });

  it('gives tokens the lifetime of JWT_EXPIRES_IN, and answers 429 in its own body', async () => {
    const server = await start({ JWT_EXPIRES_IN: '30m', RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_ATTEMPTS: '1' });
    const { body } = await call(server, 'POST /login', { json: LOCAL });
    const claims = JSON.parse(Buffer.from((body.token as string).split('.')[1]!, 'base64url').toString());
    expect(claims.exp - claims.iat).toBe(1800);
    expect(await call(server, 'POST /login', { json: LOCAL })).toEqual({ status: 429, body: error('Too many requests. Try again later.') });
  });

  it('answers as the owner where authentication is switched off', async () => {
    const server = await start({ AUTH_DISABLED: 'true' });
    expect((await call(server, 'GET /me')).body.user).toMatchObject({ email: 'admin@local' });
    const changed = await call(server, 'PUT /local-account', { json: { email: 'ada@local' } });
    expect(changed).toMatchObject({ status: 200, body: { token: expect.any(String), user: { email: 'ada@local' } } });
  });
});
