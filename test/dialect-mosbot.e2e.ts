import { type Answer, type Json, type RequestOptions, send } from './support/client.js';
import { decodeJwt } from './support/jwt.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'three random words 42';

describe('the dialect mosbot', () => {
  let suite: Suite;

  beforeAll(async () => {
    suite = await startSuite({ DIALECTS: 'mosbot', REGISTRATION: 'open', TIMEZONE: 'Europe/Berlin', JWT_EXPIRES_IN: '24h' });
  });
  afterAll(() => suite.stop());

  const call = (target: string, options: RequestOptions = {}): Promise<Answer<Json>> => {
    const [method = '', path = ''] = target.split(' ');
    return send(`${method} ${suite.gatehouse.url}${path}`, options);
  };
  const login = (email: string, password: string) => call('POST /api/v1/auth/login', { json: { email, password } });
  const tokenOf = async (email: string, password: string): Promise<string> => (await login(email, password)).body.token;
  const anyUser = {
    id: expect.stringMatching(/^[0-9a-f-]{36}$/), name: expect.any(String), email: expect.any(String), avatar_url: null,
    role: 'owner', active: true, created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  };

  it('answers a login at the top level and under data, and lets no cache keep it', async () => {
    const { status, body, headers } = await login(OWNER.email, OWNER.password);
    const tokens = { token: expect.any(String), user: { ...anyUser, name: 'Owner', email: OWNER.email }, expires_in: '24h' };
    expect(status).toBe(200);
    expect(body).toEqual({ ...tokens, data: tokens });
    expect(body.data.token).toBe(body.token);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.getSetCookie()[0]).toMatch(/^gh_device=/);
  });

  it('puts its claims beside the core\'s own, for as long as JWT_EXPIRES_IN says', async () => {
    const { body } = await login(OWNER.email, OWNER.password);
    const { header, claims } = decodeJwt(body.token);
    expect(header).toMatchObject({ alg: 'HS256', typ: 'JWT' });
    expect(claims).toEqual({
      id: body.user.id, email: OWNER.email, name: 'Owner', role: 'owner',
      sub: body.user.id, sid: expect.any(String), jti: expect.any(String), iat: expect.any(Number), exp: expect.any(Number),
      iss: 'gatehouse', aud: 'gatehouse',
    });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(24 * 60 * 60);
  });

  it('ends the session with the token', async () => {
    const { claims } = decodeJwt(await tokenOf(OWNER.email, OWNER.password));
    const { rows } = await suite.database.pool.query('SELECT expires_at, rotating, dialect FROM sessions WHERE id = $1', [claims['sid']]);
    expect(rows[0]).toMatchObject({ rotating: false, dialect: 'mosbot' });
    expect(Math.abs(rows[0].expires_at.getTime() / 1000 - Number(claims['exp']))).toBeLessThan(5);
  });

  it('tells who is signed in, and that the token is good', async () => {
    const token = await tokenOf(OWNER.email, OWNER.password);
    const user = { ...anyUser, name: 'Owner', email: OWNER.email };
    const me = await call('GET /api/v1/auth/me', { token });
    expect({ status: me.status, body: me.body }).toEqual({ status: 200, body: { data: user } });
    const verified = await call('POST /api/v1/auth/verify', { token });
    expect({ status: verified.status, body: verified.body }).toEqual({ status: 200, body: { data: { valid: true, user } } });
  });

  it.each([
    ['without a body', {}],
    ['with the media type of JSON and no body', { headers: { 'content-type': 'application/json' } }],
    ['with an empty object', { json: {} }],
  ])('verifies %s', async (_, options) => {
    const token = await tokenOf(OWNER.email, OWNER.password);
    expect((await call('POST /api/v1/auth/verify', { token, ...options })).status).toBe(200);
  });

  it('has a public configuration, and the health check where it was', async () => {
    const config = await call('GET /api/v1/config');
    expect({ status: config.status, body: config.body }).toEqual({
      status: 200, body: { data: { timezone: 'Europe/Berlin', registration: 'open', password_min_length: 12 } },
    });
    const health = await call('GET /health');
    expect(health.body).toMatchObject({ status: 'ok', timestamp: expect.any(String), nativeApi: '/native/v1' });
  });

  it('ignores credentials and unknown fields where it needs none', async () => {
    const json = { email: OWNER.email, password: OWNER.password, remember: true, device: { name: 'x' } };
    expect((await call('POST /api/v1/auth/login', { json, token: 'bad' })).status).toBe(200);
    expect((await call('GET /api/v1/config', { token: 'bad' })).status).toBe(200);
  });

  describe('registration', () => {
    const register = (json: unknown) => call('POST /api/v1/auth/register', { json });

    it('makes a user and answers like the login', async () => {
      const picture = 'https://example.com/ada.png';
      const { status, body, headers } = await register({ name: ' Ada ', email: 'ada@example.com', password: PASSWORD, avatar_url: picture, role: 'owner' });
      const user = { ...anyUser, name: 'Ada', email: 'ada@example.com', avatar_url: picture, role: 'user' };
      const tokens = { token: expect.any(String), user, expires_in: '24h' };
      expect({ status, body }).toEqual({ status: 201, body: { ...tokens, data: tokens } });
      expect(headers.getSetCookie()[0]).toMatch(/^gh_device=/);
      expect((await call('GET /api/v1/auth/me', { token: body.token })).body.data).toEqual(body.user);
      expect(decodeJwt(body.token).claims).toMatchObject({ role: 'user', name: 'Ada' });
    });

    it.each<[string, object, number, string]>([
      ['no name', { name: undefined }, 400, 'Name is required'],
      ['an empty name', { name: ' ' }, 400, 'Name is required'],
      ['null for a name', { name: null }, 400, 'Name is required'],
      ['a number for a name', { name: 7 }, 400, 'Name must be a string'],
      ['a name that is too long', { name: 'x'.repeat(201) }, 400, 'Name must be at most 200 characters'],
      ['a NUL in the name', { name: 'a\0b' }, 400, 'Name must not contain control characters'],
      ['no email', { email: undefined }, 400, 'Valid email is required'],
      ['a bad email', { email: 'ada' }, 400, 'Valid email is required'],
      ['an object for an email', { email: { $ne: '' } }, 400, 'Valid email is required'],
      ['an email with a NUL', { email: 'a\0@example.com' }, 400, 'Valid email is required'],
      ['no password', { password: undefined }, 400, 'Password must be at least 12 characters'],
      ['a short password', { password: 'elevenchars' }, 400, 'Password must be at least 12 characters'],
      ['a number for a password', { password: 123456789012 }, 400, 'Password must be a string'],
      ['a common password', { password: 'passwordpassword' }, 400, 'Password is too common'],
      ['the email for a password', { password: 'new@example.com' }, 400, 'Password is too common'],
      ['endless combining marks', { password: `a${'\u0301'.repeat(500_000)}` }, 400, 'password must not have more than 30 combining marks in a row'],
      ['a script for a picture', { avatar_url: 'javascript:alert(1)' }, 400, 'avatar_url must be an http or https URL of at most 2000 characters'],
      ['a number for a picture', { avatar_url: 7 }, 400, 'avatar_url must be an http or https URL of at most 2000 characters'],
      ['a taken email', { email: 'OWNER@example.com' }, 409, 'Email already exists'],
    ])('refuses %s', async (_, change, status, message) => {
      const answer = await register({ name: 'New', email: 'new@example.com', password: PASSWORD, ...change });
      expect({ status: answer.status, body: answer.body }).toEqual({ status, body: { error: { message, status } } });
    });

    it('asks for the name before the email and for both before the password', async () => {
      expect((await register({})).body.error.message).toBe('Name is required');
      expect((await register({ name: 'x', password: 'x' })).body.error.message).toBe('Valid email is required');
    });

    it('has no longest password, and tells apart what comes after the 72nd byte', async () => {
      const password = 'long words '.repeat(5_000);
      expect((await register({ name: 'Long', email: 'long@example.com', password: `${password}a` })).status).toBe(201);
      expect((await login('long@example.com', `${password}b`)).status).toBe(401);
      expect((await login('long@example.com', `${password}a`)).status).toBe(200);
    });
  });

  describe('the list of users', () => {
    const list = async (query: string) => call(`GET /api/v1/users${query}`, { token: await tokenOf(OWNER.email, OWNER.password) });

    beforeAll(async () => {
      const token = await tokenOf(OWNER.email, OWNER.password);
      for (const name of ['Zoe One', 'Zoe Two', 'Zoe Three']) {
        const json = { name, email: `${name.replace(' ', '.')}@list.example`, role: 'user', password: PASSWORD };
        await call('POST /api/v1/admin/users', { token, json });
      }
    });

    it('is open to everybody who is signed in', async () => {
      const token = await tokenOf('zoe.one@list.example', PASSWORD);
      const { status, body } = await call('GET /api/v1/users', { token });
      expect(status).toBe(200);
      expect(body.pagination).toEqual({ total: body.data.length, limit: 50, offset: 0 });
      expect(body.data.find(({ name }: Json) => name === 'Zoe One')).toEqual({ ...anyUser, name: 'Zoe One', email: 'Zoe.One@list.example', role: 'user' });
    });

    it('has pages by offset, newest first', async () => {
      const first = await list('?search=list.example&limit=2');
      expect(first.body.pagination).toEqual({ total: 3, limit: 2, offset: 0 });
      expect(first.body.data.map(({ name }: Json) => name)).toEqual(['Zoe Three', 'Zoe Two']);
      const second = await list('?search=list.example&limit=2&offset=2');
      expect(second.body.pagination).toEqual({ total: 3, limit: 2, offset: 2 });
      expect(second.body.data.map(({ name }: Json) => name)).toEqual(['Zoe One']);
    });

    it.each([
      ['part of a name', '?search=zoe%20t', ['Zoe Three', 'Zoe Two']],
      ['part of an email', '?search=ZOE.ONE', ['Zoe One']],
      ['a wildcard, literally', '?search=%25', []],
      ['beyond the end', '?search=zoe&offset=999999999', []],
      ['an empty search and limit', '?search=zoe&limit=&offset=', ['Zoe Three', 'Zoe Two', 'Zoe One']],
      ['more than there may be at once', '?search=zoe&limit=100000', ['Zoe Three', 'Zoe Two', 'Zoe One']],
    ])('finds %s', async (_, query, names) => {
      const { status, body } = await list(query);
      expect({ status, names: body.data.map(({ name }: Json) => name) }).toEqual({ status: 200, names });
    });

    it.each([
      ['a limit that is no number', '?limit=x', 'limit must be a whole number, 1 or more'],
      ['a limit of 0', '?limit=0', 'limit must be a whole number, 1 or more'],
      ['two limits', '?limit=1&limit=2', 'limit must be a whole number, 1 or more'],
      ['a negative offset', '?offset=-1', 'offset must be a whole number, 0 or more'],
      ['an offset beyond every integer', '?offset=99999999999999999999', 'offset must be a whole number, 0 or more'],
      ['a NUL in the search', '?search=%00', 'search must be a text of at most 320 characters'],
      ['two searches', '?search=a&search=b', 'search must be a text of at most 320 characters'],
    ])('refuses %s', async (_, query, message) => {
      const { status, body } = await list(query);
      expect({ status, body }).toEqual({ status: 400, body: { error: { message, status: 400 } } });
    });
  });
});
