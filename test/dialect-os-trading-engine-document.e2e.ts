import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Json, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, runGatehouse, startGatehouse } from './support/gatehouse.js';
import { decodeJwt } from './support/jwt.js';

const ADMIN = { email: 'user@example.com', password: 'SecurePassword123!' };
const VARIABLES = { DIALECTS: 'os-trading-engine', ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password };

/** The examples of the product's own document, word for word; only the host and the tokens are filled in. */
const CURL = {
  login: String.raw`curl -X POST https://your-instance.com/api/v1/auth/login \
  -H "Content-Type: application/json" \
  -d '{
    "email": "user@example.com",
    "password": "SecurePassword123!",
    "rememberMe": false
  }'`,
  me: String.raw`curl -X GET https://your-instance.com/api/v1/auth/me \
  -H "Authorization: Bearer eyJhbGciOiJIUzI1NiIs..."`,
  logout: String.raw`curl -X POST https://your-instance.com/api/v1/auth/logout \
  -H "Authorization: Bearer eyJhbGciOiJIUzI1NiIs..." \
  -H "Content-Type: application/json" \
  -d '{
    "refreshToken": "eyJhbGciOiJIUzI1NiIs..."
  }'`,
};

describe('the document of OS Trading Engine', () => {
  const servers: Gatehouse[] = [];
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createDatabase();
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await database.drop();
  });

  const start = async (env: Record<string, string> = {}): Promise<Gatehouse> => {
    const server = await startGatehouse({ env: { ...VARIABLES, DATABASE_URL: database.url, ...env } });
    servers.push(server);
    return server;
  };
  const restart = async (env: Record<string, string>): Promise<Gatehouse> => {
    await servers.pop()!.stop();
    return start(env);
  };
  const login = (server: Gatehouse, json: object = ADMIN) => send(`POST ${server.url}/api/v1/auth/login`, { json });
  const me = async (server: Gatehouse, token: string) => (await send(`GET ${server.url}/api/v1/auth/me`, { token })).status;

  it('its curl commands, one after the other', async () => {
    const { url } = await start();
    const curl = async (command: string, tokens: { accessToken?: string; refreshToken?: string } = {}): Promise<Json> => {
      const filled = command
        .replace('https://your-instance.com', url)
        .replace('Bearer eyJhbGciOiJIUzI1NiIs...', `Bearer ${tokens.accessToken ?? ''}`)
        .replace('eyJhbGciOiJIUzI1NiIs...', tokens.refreshToken ?? '');
      const { stdout } = await promisify(execFile)('bash', ['-c', `${filled} --silent --write-out '\n%{http_code}'`]);
      const [body = '', status] = stdout.split(/\n(?=\d+$)/);
      return { status: Number(status), body: JSON.parse(body) };
    };
    const signedIn = await curl(CURL.login);
    const user = { id: expect.any(String), email: ADMIN.email, createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) };
    expect(signedIn).toEqual({ status: 200, body: { accessToken: expect.stringMatching(/^eyJ/), refreshToken: expect.any(String), user } });
    expect(await curl(CURL.me, signedIn.body)).toEqual({ status: 200, body: signedIn.body.user });
    expect(await curl(CURL.logout, signedIn.body)).toEqual({ status: 200, body: { success: true, message: 'Logged out successfully' } });
    expect(await curl(CURL.me, signedIn.body)).toEqual({ status: 401, body: { error: 'Token has been revoked' } });
  });

  it('its fetch flow, in which the client keeps what it was given', async () => {
    const server = await start();
    const tokens: Record<string, string> = {};
    let loggedOut = 0;
    const fetchFrom = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init);
    const storeAccessToken = (token: string) => { tokens['access'] = token; };
    const storeRefreshToken = (token: string) => { tokens['refresh'] = token; };
    const getAccessToken = () => tokens['access']!;
    const getRefreshToken = () => tokens['refresh']!;
    const redirectToLogin = () => { loggedOut += 1; };
    const renew = async () => {
      const refreshResponse = await fetchFrom('/api/v1/auth/refresh', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ refreshToken: getRefreshToken() }),
      });
      if (refreshResponse.ok) {
        const { accessToken, refreshToken } = (await refreshResponse.json()) as Json;
        storeAccessToken(accessToken);
        storeRefreshToken(refreshToken);
      } else {
        redirectToLogin();
      }
    };
    const whoAmI = () => fetchFrom('/api/v1/auth/me', { headers: { Authorization: `Bearer ${getAccessToken()}` } });

    const response = await fetchFrom('/api/v1/auth/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'user@example.com', password: 'SecurePassword123!', rememberMe: true }),
    });
    const { accessToken, refreshToken, user } = (await response.json()) as Json;
    storeAccessToken(accessToken);
    storeRefreshToken(refreshToken);
    expect(await (await whoAmI()).json()).toEqual(user);

    // The access token has expired, and comes back as 401.
    storeAccessToken('expired');
    expect((await whoAmI()).status).toBe(401);
    await renew();
    expect(loggedOut).toBe(0);
    expect(getRefreshToken()).toBe(refreshToken);
    expect(await (await whoAmI()).json()).toEqual(user);

    const goodbye = await fetchFrom('/api/v1/auth/logout', {
      method: 'POST',
      headers: { Authorization: `Bearer ${getAccessToken()}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ refreshToken: getRefreshToken() }),
    });
    expect(await goodbye.json()).toEqual({ success: true, message: 'Logged out successfully' });
    expect((await whoAmI()).status).toBe(401);
    await renew();
    expect(loggedOut).toBe(1);
  });

  it('a token of the dialect works on the native API and is over for both at once', async () => {
    const server = await start();
    const { accessToken: token, refreshToken } = (await login(server)).body;
    const me = await send(`GET ${server.url}/native/v1/auth/me`, { token });
    expect({ status: me.status, email: me.body.email, role: me.body.role }).toEqual({ status: 200, email: ADMIN.email, role: 'owner' });
    expect((await send(`POST ${server.url}/native/v1/auth/logout`, { token })).status).toBe(204);
    expect((await send(`GET ${server.url}/api/v1/auth/me`, { token })).body).toEqual({ error: 'Token has been revoked' });
    expect((await send(`POST ${server.url}/api/v1/auth/refresh`, { json: { refreshToken } })).status).toBe(401);
  });

  describe('the admin account', () => {
    const written = async (): Promise<unknown> =>
      (await database.pool.query('SELECT u.xmin, u.updated_at, d.xmin AS declared FROM users u JOIN declared_accounts d ON d.user_id = u.id')).rows;

    it('is not written when nothing changed, and its sessions go on', async () => {
      const first = await start();
      const { accessToken } = (await login(first)).body;
      const before = await written();
      const second = await restart({});
      expect(await written()).toEqual(before);
      expect(await me(second, accessToken)).toBe(200);
    });

    it('follows a new address, and keeps its sessions', async () => {
      const { body } = await login(await start());
      const server = await restart({ ADMIN_EMAIL: 'new@example.com' });
      expect((await login(server)).status).toBe(401);
      const again = await login(server, { ...ADMIN, email: 'new@example.com' });
      expect(again.body.user).toEqual({ ...body.user, email: 'new@example.com' });
      expect(await me(server, body.accessToken)).toBe(200);
    });

    it('follows a new password, and its sessions end', async () => {
      const { accessToken, refreshToken } = (await login(await start())).body;
      const server = await restart({ ADMIN_PASSWORD: 'x' });
      expect((await login(server)).status).toBe(401);
      expect((await login(server, { ...ADMIN, password: 'x' })).status).toBe(200);
      expect(await me(server, accessToken)).toBe(401);
      expect((await send(`POST ${server.url}/api/v1/auth/refresh`, { json: { refreshToken } })).status).toBe(401);
      expect((await database.pool.query('SELECT count(*)::int AS users FROM users')).rows).toEqual([{ users: 1 }]);
    });

    it.each([
      ['without an address', { ADMIN_EMAIL: undefined }, /ADMIN_EMAIL: got nothing; .*because ADMIN_PASSWORD is set/],
      ['without a password', { ADMIN_PASSWORD: undefined }, /ADMIN_PASSWORD: got nothing; .*because ADMIN_EMAIL is set/],
      ['without either', { ADMIN_EMAIL: undefined, ADMIN_PASSWORD: undefined }, /ADMIN_EMAIL: got nothing; .*the dialect os-trading-engine is mounted[\s\S]*ADMIN_PASSWORD: got nothing; .*the dialect os-trading-engine is mounted/],
    ])('is required: no start %s', async (_, env, message) => {
      const { code, output } = await runGatehouse({ env: { ...VARIABLES, DATABASE_URL: database.url, ...env } });
      expect(code).toBe(1);
      expect(output).toMatch(message);
    });

    it('has tokens that say nothing but who and which session', async () => {
      const { claims } = decodeJwt((await login(await start())).body.accessToken);
      expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub']);
    });
  });
});
