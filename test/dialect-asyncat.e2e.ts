import { type Answer, eventually, type Json, type RequestOptions, send } from './support/client.js';
import { decodeJwt } from './support/jwt.js';
import { startSuite, type Suite } from './support/suite.js';

const LOCAL = { email: 'admin@local', password: 'changeme' };
const NO_OWNER = { BOOTSTRAP_OWNER_EMAIL: undefined, BOOTSTRAP_OWNER_USERNAME: undefined, BOOTSTRAP_OWNER_PASSWORD: undefined };
const error = (text: string) => ({ success: false, error: text });
const REQUIRED = error('Email and password are required');
const BAD_CREDENTIALS = error('Invalid email or password');
const NO_TOKEN = error('Authentication required');
const BAD_TOKEN = error('Invalid or expired token');
const TOO_SHORT = error('Password must be at least 8 characters');
const BAD_EMAIL = error('Enter a valid email address.');
const NOTHING = error('No account fields provided.');
const NO_REGISTRATION = error('Registration is disabled in the local build. Sign in with the local account.');
const LOGGED_OUT = { success: true, message: 'Logged out' };
const JSON_TYPE = { 'content-type': 'application/json' };

describe('the dialect asyncat', () => {
  let suite: Suite;
  let token: string;
  const user = { id: expect.any(String), email: 'admin@local', name: null, profile_picture: null };

  beforeAll(async () => {
    suite = await startSuite({ DIALECTS: 'asyncat', ...NO_OWNER });
  });
  afterAll(() => suite.stop());
  beforeEach(async () => {
    token = await login();
  });

  const call = (target: string, options: RequestOptions = {}): Promise<Answer<Json>> => {
    const [method = '', path = ''] = target.split(' ');
    return send(`${method} ${suite.gatehouse.url}/api/auth${path}`, options);
  };
  const login = async (json: object = LOCAL): Promise<string> => (await call('POST /login', { json })).body.token as string;
  const me = async (withToken: string): Promise<unknown> => {
    const { status, body } = await call('GET /me', { token: withToken });
    return status === 200 ? body.user : { status, body };
  };
  const ended = { status: 401, body: BAD_TOKEN };

  describe('answers', () => {
    it.each<[string, string, RequestOptions, number, unknown]>([
      ['a status', 'GET /status', {}, 200, { success: true, mode: 'local', localEmail: 'admin@local', isFirstRun: true }],
      ['a login', 'POST /login', { json: LOCAL }, 200, { success: true, token: expect.any(String), user }],
      ['a login with more fields', 'POST /login', { json: { ...LOCAL, remember: true } }, 200, { success: true, token: expect.any(String), user }],
      ['a login in capitals', 'POST /login', { json: { ...LOCAL, email: 'ADMIN@LOCAL' } }, 200, { success: true, token: expect.any(String), user }],
      ['a wrong password', 'POST /login', { json: { ...LOCAL, password: 'wrong' } }, 401, BAD_CREDENTIALS],
      ['an unknown address', 'POST /login', { json: { email: 'nobody@local', password: 'wrong' } }, 401, BAD_CREDENTIALS],
      ['no password', 'POST /login', { json: { email: LOCAL.email } }, 400, REQUIRED],
      ['no address', 'POST /login', { json: { password: 'x' } }, 400, REQUIRED],
      ['an empty password', 'POST /login', { json: { ...LOCAL, password: '' } }, 400, REQUIRED],
      ['null', 'POST /login', { json: { email: null, password: null } }, 400, REQUIRED],
      ['a number for a password', 'POST /login', { json: { ...LOCAL, password: 12345678 } }, 400, REQUIRED],
      ['an array', 'POST /login', { json: [] }, 400, REQUIRED],
      ['no body', 'POST /login', {}, 400, REQUIRED],
      ['broken JSON', 'POST /login', { raw: '{"email"', headers: JSON_TYPE }, 400, error('The request body could not be read.')],
      ['a form', 'POST /login', { form: LOCAL }, 415, error('Send the request body as JSON.')],
      ['a form in capitals', 'POST /login', { form: LOCAL, headers: { 'content-type': 'APPLICATION/X-WWW-FORM-URLENCODED' } }, 415, error('Send the request body as JSON.')],
      ['more than the limit', 'POST /login', { raw: `"${'x'.repeat(1 << 20)}"`, headers: JSON_TYPE }, 413, error('The request body is too large.')],
      ['a logout by nobody', 'POST /logout', {}, 200, LOGGED_OUT],
      ['a logout with a bad token', 'POST /logout', { token: 'bad' }, 200, LOGGED_OUT],
      ['a logout with another scheme', 'POST /logout', { headers: { authorization: 'Basic eDp5' } }, 200, LOGGED_OUT],
      ['a logout that says JSON and sends none', 'POST /logout', { headers: JSON_TYPE }, 200, LOGGED_OUT],
      ['no token', 'GET /me', {}, 401, NO_TOKEN],
      ['another scheme', 'GET /me', { headers: { authorization: 'Basic eDp5' } }, 401, NO_TOKEN],
      ['a bad token', 'GET /me', { token: 'bad' }, 401, BAD_TOKEN],
      ['a change by nobody', 'PUT /local-account', { json: { name: 'x' } }, 401, NO_TOKEN],
      ['a new password from nobody', 'POST /update-password', { json: { password: 'three random' } }, 401, NO_TOKEN],
      ['a registration', 'POST /register', { json: { email: 'a@b', password: 'three random words' } }, 403, NO_REGISTRATION],
      ['a registration of nothing', 'POST /register', {}, 403, NO_REGISTRATION],
      ['a registration in broken JSON', 'POST /register', { raw: '{', headers: JSON_TYPE }, 403, NO_REGISTRATION],
      ['a registration by form', 'POST /register', { form: { a: 'b' } }, 403, NO_REGISTRATION],
      ['a registration in XML', 'POST /register', { raw: '<a/>', headers: { 'content-type': 'text/xml' } }, 403, NO_REGISTRATION],
      ['an unknown route', 'GET /users', {}, 404, error('Not found')],
      ['an unknown route, with broken JSON', 'POST /users', { raw: '{', headers: JSON_TYPE }, 404, error('Not found')],
      ['an unknown method', 'DELETE /me', {}, 404, error('Not found')],
      ['an unreadable URL', 'GET /%zz', {}, 400, error('The request body could not be read.')],
    ])('%s', async (_, target, options, status, body) => {
      const answer = await call(target, options);
      expect({ status: answer.status, body: answer.body }).toEqual({ status, body });
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    });
  });

  describe('refuses of a signed-in user', () => {
    it.each<[string, string, unknown, number, unknown]>([
      ['no change', 'PUT /local-account', {}, 400, NOTHING],
      ['nulls alone', 'PUT /local-account', { name: null, email: null, password: null }, 400, NOTHING],
      ['unknown fields alone', 'PUT /local-account', { role: 'owner' }, 400, NOTHING],
      ['an array', 'PUT /local-account', ['name'], 400, NOTHING],
      ['a bad address', 'PUT /local-account', { email: 'admin' }, 400, BAD_EMAIL],
      ['an empty address', 'PUT /local-account', { email: '' }, 400, BAD_EMAIL],
      ['a number for an address', 'PUT /local-account', { email: 1 }, 400, BAD_EMAIL],
      ['an address with a NUL', 'PUT /local-account', { email: 'a\0@local' }, 400, BAD_EMAIL],
      ['a short password', 'PUT /local-account', { password: '1234567' }, 400, TOO_SHORT],
      ['an empty password', 'PUT /local-account', { password: '' }, 400, TOO_SHORT],
      ['an object for a password', 'PUT /local-account', { password: {} }, 400, TOO_SHORT],
      ['a common password', 'PUT /local-account', { password: 'password123' }, 400, error('Password is too common')],
      ['the default password once more', 'PUT /local-account', { password: 'changeme' }, 400, error('Password is too common')],
      ['a number for a name', 'PUT /local-account', { name: 7 }, 400, error('Name must be a string.')],
      ['a long name', 'PUT /local-account', { name: 'x'.repeat(201) }, 400, error('Name must be at most 200 characters.')],
      ['a name with a NUL', 'PUT /local-account', { name: 'a\0b' }, 400, error('Name must not contain control characters.')],
      ['a good name beside a bad address', 'PUT /local-account', { name: 'Ada', email: 'x' }, 400, BAD_EMAIL],
      ['no new password', 'POST /update-password', {}, 400, TOO_SHORT],
      ['null for a new password', 'POST /update-password', { password: null }, 400, TOO_SHORT],
      ['a short new password', 'POST /update-password', { password: '1234567' }, 400, TOO_SHORT],
      ['a common new password', 'POST /update-password', { password: 'password123' }, 400, error('Password is too common')],
    ])('%s', async (_, target, json, status, body) => {
      const answer = await call(target, { token, json });
      expect({ status: answer.status, body: answer.body }).toEqual({ status, body });
      expect(await me(token)).toEqual(user);
    });

    it('an address that is taken', async () => {
      await suite.api.createUser(token, { email: 'taken@local', password: 'three random words 42' });
      const { status, body } = await call('PUT /local-account', { token, json: { email: 'Taken@local' } });
      expect({ status, body }).toEqual({ status: 409, body: error('Email already in use.') });
    });
  });

  it('issues a token with the claims and the lifetime of the page', () => {
    const { header, claims } = decodeJwt(token);
    expect(header).toMatchObject({ alg: 'HS256' });
    expect(Object.keys(claims).sort()).toEqual(['aud', 'email', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub']);
    expect(claims).toMatchObject({ email: 'admin@local', sub: expect.any(String) });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(7 * 24 * 60 * 60);
  });

  it('revokes the token at a logout', async () => {
    expect((await call('POST /logout', { token })).body).toEqual(LOGGED_OUT);
    expect(await me(token)).toEqual(ended);
    expect((await call('POST /logout', { token })).body).toEqual(LOGGED_OUT);
  });

  it('shares its tokens with the native API, and their end', async () => {
    expect((await suite.api.call('GET /auth/me', { token })).body).toMatchObject({ email: 'admin@local', role: 'owner' });
    expect((await suite.api.call('GET /auth/sessions', { token })).body.items[0]).toMatchObject({ dialect: 'asyncat' });
    await suite.api.call('POST /auth/logout', { token });
    expect(await me(token)).toEqual(ended);
  });

  it('locks after five guesses, however many come at once', async () => {
    await suite.api.createUser(token, { email: 'member@local', password: 'three random words 42' });
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => call('POST /login', { json: { email: 'member@local', password: 'wrong' } })),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    const locked = answers.filter(({ status }) => status === 423);
    expect(locked).toHaveLength(95);
    expect(locked[0]!.body).toEqual(error('Account is temporarily locked due to too many failed login attempts'));
    expect(Number(locked[0]!.headers.get('retry-after'))).toBeGreaterThan(800);
  });

  it('shows a picture, and describes its routes and errors', async () => {
    await suite.database.pool.query(`UPDATE users SET picture_url = 'https://example.com/a.png' WHERE email = 'admin@local'`);
    expect(await me(token)).toEqual({ ...user, profile_picture: 'https://example.com/a.png' });
    await suite.database.pool.query('UPDATE users SET picture_url = NULL');
    const { paths } = (await send(`GET ${suite.gatehouse.url}/openapi.json`)).body as { paths: Record<string, Json> };
    const routes = ['first-run', 'local-account', 'login', 'logout', 'me', 'register', 'status', 'update-password'];
    expect(Object.keys(paths).filter((path) => path.startsWith('/api/auth')).sort()).toEqual(routes.map((route) => `/api/auth/${route}`));
    expect(paths['/api/auth/me'].get.responses['401'].content['application/json'].schema).toEqual({ $ref: '#/components/schemas/AsyncatErrorBody' });
  });

  // From here on the account is no longer as it was seeded.

  it('keeps the token where only the name changes, which is trimmed', async () => {
    const { status, body } = await call('PUT /local-account', { token, json: { name: '  Ada ' } });
    expect({ status, body }).toEqual({ status: 200, body: { success: true, token, user: { ...user, name: 'Ada' } } });
    expect((await call('PUT /local-account', { token, json: { name: ' ', email: 'admin@local' } })).body).toEqual({ success: true, token, user });
  });

  it('renews the token with a new address, and ends the old one', async () => {
    const other = await login();
    const { body } = await call('PUT /local-account', { token, json: { email: 'ada@example.com' } });
    expect(body).toEqual({ success: true, token: expect.any(String), user: { ...user, email: 'ada@example.com' } });
    expect(decodeJwt(body.token as string).claims).toMatchObject({ email: 'ada@example.com' });
    expect(await me(body.token as string)).toMatchObject({ email: 'ada@example.com' });
    expect(await me(token)).toEqual(ended);
    expect(await me(other)).toMatchObject({ email: 'ada@example.com' });
    expect((await call('GET /status')).body.localEmail).toBe('ada@example.com');
    await call('PUT /local-account', { token: body.token as string, json: { email: 'admin@local' } });
  });

  it('ends every other session with a new password', async () => {
    const other = await login();
    const { status, body } = await call('POST /update-password', { token, json: { password: '8 chars!' } });
    expect({ status, body }).toEqual({ status: 200, body: { success: true, message: 'Password updated' } });
    expect(await me(token)).toEqual(user);
    expect(await me(other)).toEqual(ended);
    expect((await call('POST /login', { json: LOCAL })).body).toEqual(BAD_CREDENTIALS);

    const second = await login({ ...LOCAL, password: '8 chars!' });
    const changed = await call('PUT /local-account', { token: second, json: { password: 'eight chars more' } });
    expect(await me(changed.body.token as string)).toEqual(user);
    expect(await Promise.all([token, second].map(me))).toEqual([ended, ended]);
  });

  it('lets one of two changes of the password at the same time survive, never both', async () => {
    const password = 'eight chars more';
    const tokens = await Promise.all([1, 2].map(() => login({ ...LOCAL, password })));
    const answers = await Promise.all(
      tokens.map((one, at) => call('PUT /local-account', { token: one, json: { password: `a password of ${String(at)}` } })),
    );
    const winner = answers.findIndex(({ status }) => status === 200);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
    expect(await me(answers[winner]!.body.token as string)).toEqual(user);
    expect(await login({ ...LOCAL, password: `a password of ${String(winner)}` })).toEqual(expect.any(String));
  });
});

describe('a session of the dialect asyncat that is being renewed', () => {
  it.each<[string, string, string, RequestOptions, number]>([
    ['the password is changed', 'POST', '/auth/update-password', { json: { password: 'three random words 42' } }, 200],
    ['the others are ended', 'DELETE', '/v1/auth/sessions', {}, 204],
  ])('ends with the others when %s meanwhile', async (_, method, path, options, done) => {
    // Nothing is given up while the test looks on.
    const suite = await startSuite({ DIALECTS: 'asyncat', DATABASE_QUERY_TIMEOUT_MS: '60000', ...NO_OWNER });
    const { pool } = suite.database;
    const call = (method: string, path: string, options: RequestOptions) => send(`${method} ${suite.gatehouse.url}/api/auth${path}`, options);
    const [renewing, changing] = await Promise.all([1, 2].map(async () => (await call('POST', '/login', { json: LOCAL })).body.token as string));
    // The new session waits until it may be written.
    await pool.query(`
      CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END $$;
      CREATE TRIGGER waits BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION wait()`);
    const holder = await pool.connect();
    await holder.query('SELECT pg_advisory_lock(42)');
    const waiting = (count: number) => eventually(async () => {
      const { rowCount } = await pool.query("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
      expect(rowCount).toBe(count);
    });
    const renewed = call('PUT', '/local-account', { token: renewing!, json: { email: 'ada@local' } });
    await waiting(1);
    const changed = send(`${method} ${suite.gatehouse.url}/api${path}`, { token: changing!, ...options });
    await waiting(2);
    await holder.query('SELECT pg_advisory_unlock(42)');
    holder.release();
    const { status, body } = await renewed;
    expect([status, (await changed).status]).toEqual([200, done]);
    expect((await call('GET', '/me', { token: body.token as string })).status).toBe(401);
    expect((await call('GET', '/me', { token: changing! })).status).toBe(200);
    await suite.stop();
  });
});
