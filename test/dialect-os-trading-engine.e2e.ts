import { type Answer, type Json, type RequestOptions, send } from './support/client.js';
import { decodeJwt } from './support/jwt.js';
import { startSuite, type Suite } from './support/suite.js';

/** The values of the product's own document; no rule of strength applies to them. */
const ADMIN = { email: 'user@example.com', password: 'SecurePassword123!' };
const HOURS = 60 * 60;

describe('the dialect os-trading-engine', () => {
  let suite: Suite;

  beforeAll(async () => {
    suite = await startSuite({
      DIALECTS: 'os-trading-engine', ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password,
      ACCESS_TOKEN_TTL: '1m', REFRESH_TOKEN_TTL: '2m', JWT_EXPIRES_IN: '3m',
    });
  });
  afterAll(() => suite.stop());

  const call = (target: string, options: RequestOptions = {}): Promise<Answer<Json>> => {
    const [method = '', path = ''] = target.split(' ');
    return send(`${method} ${suite.gatehouse.url}/api/v1${path}`, options);
  };
  const login = (more: object = {}) => call('POST /auth/login', { json: { ...ADMIN, ...more } });
  const refresh = (refreshToken: unknown) => call('POST /auth/refresh', { json: { refreshToken } });
  const me = (token: string) => call('GET /auth/me', { token });
  const seen = ({ status, body }: Answer<Json>) => ({ status, body });
  const user = { id: expect.stringMatching(/^[0-9a-f-]{36}$/), email: ADMIN.email, createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) };
  const LOGGED_OUT = { status: 200, body: { success: true, message: 'Logged out successfully' } };
  const REVOKED = { status: 401, body: { error: 'Token has been revoked' } };
  const BAD_REFRESH = { status: 401, body: { error: 'Invalid or expired refresh token' } };

  it('answers a login with two tokens and the user', async () => {
    const answer = await login();
    expect(seen(answer)).toEqual({ status: 200, body: { accessToken: expect.any(String), refreshToken: expect.any(String), user } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.getSetCookie()[0]).toMatch(/^gh_device=/);
    expect(seen(await me(answer.body.accessToken))).toEqual({ status: 200, body: answer.body.user });
  });

  it.each([[undefined, 24], [false, 24], [true, 30 * 24]])('with rememberMe %s gives 15 minutes, and %s hours to refresh', async (rememberMe, hours) => {
    const { claims } = decodeJwt((await login({ rememberMe })).body.accessToken);
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(15 * 60);
    const { rows } = await suite.database.pool.query(
      'SELECT EXTRACT(EPOCH FROM expires_at - created_at)::int AS seconds, rotating, dialect FROM sessions WHERE id = $1', [claims['sid']],
    );
    expect(rows).toEqual([{ seconds: hours * HOURS, rotating: false, dialect: 'os-trading-engine' }]);
  });

  it('refreshes any number of times with the same refresh token, also at once', async () => {
    const { refreshToken, user } = (await login()).body;
    const answers = [await refresh(refreshToken), ...(await Promise.all(Array.from({ length: 10 }, () => refresh(refreshToken)))), await refresh(refreshToken)];
    for (const answer of answers) expect(seen(answer)).toEqual({ status: 200, body: { accessToken: expect.any(String), refreshToken } });
    const tokens = answers.map(({ body }) => body.accessToken);
    expect(new Set(tokens).size).toBe(tokens.length);
    for (const token of tokens) expect((await me(token)).body).toEqual(user);
    const { claims } = decodeJwt(tokens[0]);
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(15 * 60);
  });

  it('does not prolong the session by refreshing it', async () => {
    const { accessToken, refreshToken } = (await login()).body;
    const { sid } = decodeJwt(accessToken).claims;
    const end = async () => (await suite.database.pool.query('SELECT expires_at FROM sessions WHERE id = $1', [sid])).rows[0].expires_at;
    const before = await end();
    expect((await refresh(refreshToken)).status).toBe(200);
    expect(await end()).toEqual(before);
    await suite.database.pool.query("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = $1", [sid]);
    expect(seen(await refresh(refreshToken))).toEqual(BAD_REFRESH);
  });

  it.each<[string, unknown, number, string]>([
    ['nothing', undefined, 400, 'Refresh token is required'],
    ['an empty token', '', 400, 'Refresh token is required'],
    ['null', null, 400, 'Refresh token is required'],
    ['a number', 7, 400, 'refreshToken must be a string'],
    ['an array', ['x'], 400, 'refreshToken must be a string'],
    ['a text that is none', 'nonsense', 401, 'Invalid or expired refresh token'],
    ['a NUL', 'a\0b', 401, 'Invalid or expired refresh token'],
  ])('refuses to refresh with %s', async (_, token, status, error) => {
    expect(seen(await refresh(token))).toEqual({ status, body: { error } });
  });

  it('refuses an access token for a refresh token, and the reverse', async () => {
    const { accessToken, refreshToken } = (await login()).body;
    expect(seen(await refresh(accessToken))).toEqual(BAD_REFRESH);
    expect(seen(await me(refreshToken))).toEqual({ status: 401, body: { error: 'Invalid token' } });
  });

  describe('logout', () => {
    it.each<[string, RequestOptions]>([
      ['no body and no media type', {}],
      ['a media type and no body', { headers: { 'content-type': 'application/json' } }],
      ['an empty object', { json: {} }],
      ['null for the refresh token', { json: { refreshToken: null } }],
      ['a refresh token that is none', { json: { refreshToken: 'nonsense' } }],
      ['an empty refresh token', { json: { refreshToken: '' } }],
      ['fields that it does not know', { json: { everywhere: true } }],
    ])('with %s ends both tokens of the session, on every instance', async (_, options) => {
      const another = await suite.startAnother();
      const { accessToken: token, refreshToken } = (await login()).body;
      expect((await send(`GET ${another.gatehouse.url}/api/v1/auth/me`, { token })).status).toBe(200);
      expect(seen(await call('POST /auth/logout', { token, ...options }))).toEqual(LOGGED_OUT);
      expect(seen(await me(token))).toEqual(REVOKED);
      expect(seen(await send(`GET ${another.gatehouse.url}/api/v1/auth/me`, { token }))).toEqual(REVOKED);
      expect(seen(await refresh(refreshToken))).toEqual(BAD_REFRESH);
      expect((await send(`GET ${suite.gatehouse.api}/auth/me`, { token })).status).toBe(401);
      // The second time the token is no good.
      expect(seen(await call('POST /auth/logout', { token, ...options }))).toEqual(REVOKED);
      await another.gatehouse.stop();
    });

    it('takes its own refresh token, as the document shows', async () => {
      const { accessToken: token, refreshToken } = (await login()).body;
      expect(seen(await call('POST /auth/logout', { token, json: { refreshToken } }))).toEqual(LOGGED_OUT);
      expect(seen(await refresh(refreshToken))).toEqual(BAD_REFRESH);
    });

    it('ends another session of the same user with its refresh token', async () => {
      const [one, other, third] = [(await login()).body, (await login()).body, (await login()).body];
      expect(seen(await call('POST /auth/logout', { token: one.accessToken, json: { refreshToken: other.refreshToken } }))).toEqual(LOGGED_OUT);
      for (const { accessToken, refreshToken } of [one, other]) {
        expect(seen(await me(accessToken))).toEqual(REVOKED);
        expect(seen(await refresh(refreshToken))).toEqual(BAD_REFRESH);
      }
      expect((await me(third.accessToken)).status).toBe(200);
    });

    it('leaves the session of somebody else alone', async () => {
      const mine = (await login()).body;
      const somebody = { email: 'somebody@example.com', password: 'three random words 42' };
      await suite.api.createUser(mine.accessToken, somebody);
      const theirs = (await call('POST /auth/login', { json: somebody })).body;
      expect(seen(await call('POST /auth/logout', { token: mine.accessToken, json: { refreshToken: theirs.refreshToken } }))).toEqual(LOGGED_OUT);
      expect((await me(theirs.accessToken)).status).toBe(200);
      expect((await refresh(theirs.refreshToken)).status).toBe(200);
      expect(seen(await me(mine.accessToken))).toEqual(REVOKED);
    });

    it.each([7, true, ['x'], { token: 'x' }])('refuses %j for a refresh token, and ends nothing', async (refreshToken) => {
      const { accessToken: token } = (await login()).body;
      expect(seen(await call('POST /auth/logout', { token, json: { refreshToken } })))
        .toEqual({ status: 400, body: { error: 'refreshToken must be a string' } });
      expect((await me(token)).status).toBe(200);
    });

    it('answers two at once alike, or the later as revoked', async () => {
      const { accessToken: token } = (await login()).body;
      const answers = await Promise.all([1, 2, 3].map(() => call('POST /auth/logout', { token })));
      expect(answers.some(({ status }) => status === 200)).toBe(true);
      for (const answer of answers) expect([LOGGED_OUT, REVOKED]).toContainEqual(seen(answer));
    });
  });

  describe('API keys', () => {
    it('are made, listed, shown and revoked as by the native API', async () => {
      const token = (await login()).body.accessToken;
      const made = await call('POST /api-keys', { token, json: { name: 'CI', scopes: ['api-keys:write', 'agents:read'] } });
      expect(made.status).toBe(201);
      const { key, ...shown } = made.body;
      expect(shown).toMatchObject({ name: 'CI', scopes: ['api-keys:write', 'agents:read'], revokedAt: null, createdAt: expect.any(String) });
      expect(seen(await call(`GET /api-keys/${shown.id}`, { token }))).toEqual({ status: 200, body: shown });
      expect(seen(await call('GET /api-keys', { token }))).toEqual({ status: 200, body: { items: [shown], nextCursor: null } });
      expect((await call('GET /api-keys', { apiKey: key })).status).toBe(200);
      expect((await call('GET /api-keys', { token: key })).status).toBe(200);
      expect((await call(`DELETE /api-keys/${shown.id}`, { token })).status).toBe(204);
      for (const options of [{ apiKey: key }, { token: key }]) {
        expect(seen(await call('GET /api-keys', options))).toEqual({ status: 401, body: { error: 'Invalid API key' } });
      }
    });

    it.each<[string, object, RegExp]>([
      ['no name', { scopes: ['a:b'] }, /^name must be a string$/],
      ['no scopes', { name: 'x' }, /^scopes must be a list of scopes$/],
      ['an unknown field', { name: 'x', scopes: ['a:b'], admin: true }, /^admin is not a known field$/],
    ])('are refused with %s, in a sentence that names the field', async (_, json, error) => {
      const token = (await login()).body.accessToken;
      expect(seen(await call('POST /api-keys', { token, json }))).toEqual({ status: 400, body: { error: expect.stringMatching(error) } });
    });

    it('are not for strangers, and not found elsewhere', async () => {
      const token = (await login()).body.accessToken;
      expect(seen(await call('GET /api-keys'))).toEqual({ status: 401, body: { error: 'Authorization header required' } });
      expect(seen(await call('GET /api-keys/00000000-0000-4000-8000-000000000000', { token }))).toEqual({ status: 404, body: { error: 'Not found' } });
    });
  });
});
