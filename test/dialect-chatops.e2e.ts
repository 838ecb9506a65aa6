import { type Answer, type Json, type RequestOptions, send } from './support/client.js';
import { decodeJwt } from './support/jwt.js';
import { startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'password of mine 1';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

let suite: Suite;
let made = 0;

beforeAll(async () => { suite = await startSuite({ DIALECTS: 'chatops', REGISTRATION: undefined }); });
afterAll(() => suite.stop());

function call(target: string, options: RequestOptions = {}): Promise<Answer<Json>> {
  const [method = '', path = ''] = target.split(' ');
  return send(`${method} ${suite.gatehouse.url}/api/v1${path}`, options);
}

const account = (more: object = {}) => {
  made += 1;
  return { email: `user${String(made)}@example.com`, username: `user${String(made)}`, password: PASSWORD, password_confirm: PASSWORD, full_name: 'Full Name', ...more };
};

async function registered(more: object = {}): Promise<Json> {
  const json = account(more);
  const { status, body } = await call('POST /auth/register', { json });
  expect({ status, body: status === 201 ? undefined : body }).toEqual({ status: 201, body: undefined });
  return { ...body, ...json };
}

const login = (username: string, password = PASSWORD, more: object = {}, headers: Record<string, string> = {}) =>
  call('POST /auth/login', { form: { username, password, ...more }, headers });

const userOf = ({ email, username }: Json) => ({
  id: expect.stringMatching(UUID), email, username, full_name: 'Full Name', is_active: true, created_at: expect.stringMatching(TIME),
});
const TOKENS = { access_token: expect.stringMatching(JWT), refresh_token: expect.any(String), token_type: 'bearer' };
const NOT_VALIDATED = { detail: 'Could not validate credentials' };

describe('registration', () => {
  it('is open by default and signs in', async () => {
    const json = account();
    const { status, body, headers } = await call('POST /auth/register', { json });
    expect({ status, body }).toEqual({ status: 201, body: { ...TOKENS, user: userOf(json) } });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.getSetCookie()[0]).toMatch(/^gh_device=/);
    expect((await call('GET /auth/me', { token: body.access_token })).body).toEqual(userOf(json));
  });

  it('does without a full name', async () => {
    expect((await registered({ full_name: undefined })).user.full_name).toBeNull();
    expect((await registered({ full_name: null })).user.full_name).toBeNull();
    expect((await registered({ full_name: '' })).user.full_name).toBeNull();
  });

  it.each([
    ['email', (taken: Json) => ({ email: taken.email.toUpperCase() }), 'Email already registered'],
    ['username', (taken: Json) => ({ username: taken.username.toUpperCase() }), 'Username already taken'],
  ])('refuses a taken %s', async (_, field, detail) => {
    const { status, body } = await call('POST /auth/register', { json: account(field(await registered())) });
    expect({ status, body }).toEqual({ status: 400, body: { detail } });
  });

  it.each<[object, string, string, string]>([
    [{ email: undefined }, 'email', 'Field required', 'missing'],
    [{ email: 'nobody' }, 'email', 'value is not a valid email address', 'value_error'],
    [{ email: 7 }, 'email', 'Input should be a valid string', 'string_type'],
    [{ username: undefined }, 'username', 'Field required', 'missing'],
    [{ username: 'a b' }, 'username', 'Username should be letters, digits, dots, dashes and underscores', 'value_error'],
    [{ username: null }, 'username', 'Input should be a valid string', 'string_type'],
    [{ password: undefined }, 'password', 'Field required', 'missing'],
    [{ password: [PASSWORD] }, 'password', 'Input should be a valid string', 'string_type'],
    [{ password: '1234567', password_confirm: '1234567' }, 'password', 'String should have at least 8 characters', 'string_too_short'],
    [{ password: 'password1', password_confirm: 'password1' }, 'password', 'Password is too common', 'value_error'],
    [{ password_confirm: undefined }, 'password_confirm', 'Field required', 'missing'],
    [{ password_confirm: 'another password' }, 'password_confirm', 'Passwords do not match', 'value_error'],
    [{ full_name: {} }, 'full_name', 'Input should be a valid string', 'string_type'],
    [{ full_name: 'a\nb' }, 'full_name', 'String should not contain control characters', 'value_error'],
    [{ full_name: 'x'.repeat(201) }, 'full_name', 'String should have at most 200 characters', 'string_too_long'],
  ])('refuses %j', async (more, field, msg, type) => {
    const { status, body } = await call('POST /auth/register', { json: account(more) });
    expect({ status, body }).toEqual({ status: 422, body: { detail: [{ loc: ['body', field], msg, type }] } });
  });

  it('names all that is missing, and ignores what nobody asked for', async () => {
    const { body } = await call('POST /auth/register', { json: { role: 'owner' } });
    expect(body.detail.map((fault: Json) => fault.loc[1])).toEqual(['email', 'username', 'password', 'password_confirm']);
    expect((await registered({ is_admin: true, role: 'owner' })).user).not.toHaveProperty('role');
  });

  it('takes a password of eight characters', async () => {
    await registered({ password: 'zq8!kfw2', password_confirm: 'zq8!kfw2' });
  });
});

describe('login', () => {
  it.each(['username', 'email'])('takes a form with the %s', async (field) => {
    const user = await registered();
    const { status, body, headers } = await login(user[field], PASSWORD, { grant_type: 'password', scope: '', client_id: 'x', client_secret: 'y' });
    expect({ status, body }).toEqual({ status: 200, body: { ...TOKENS, user: userOf(user) } });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.getSetCookie()[0]).toMatch(/^gh_device=/);
  });

  it('gives an access token for 30 minutes in a session of 7 days', async () => {
    const { body } = await login((await registered()).username);
    const { claims } = decodeJwt(body.access_token);
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(30 * 60);
    const { rows } = await suite.database.pool.query('SELECT rotating, dialect, expires_at - created_at AS lasts FROM sessions WHERE id = $1', [claims['sid']]);
    expect(rows).toEqual([{ rotating: false, dialect: 'chatops', lasts: expect.objectContaining({ days: 7 }) }]);
  });

  it.each([['an unknown name', 'nobody', PASSWORD], ['a wrong password', 'owner', 'wrong']])('answers %s alike', async (_, name, password) => {
    const { status, body, headers } = await login(name, password);
    expect({ status, body }).toEqual({ status: 401, body: { detail: 'Incorrect email or password' } });
    expect(headers.get('cache-control')).toBe('no-store');
    await login('owner', 'plenty of words 42');
  });

  it.each<[string, RequestOptions, string[]]>([
    ['JSON', { json: { username: 'owner', password: 'plenty of words 42' } }, ['username', 'password']],
    ['nothing', {}, ['username', 'password']],
    ['no password', { form: { username: 'owner' } }, ['password']],
    ['an empty password', { form: { username: 'owner', password: '' } }, ['password']],
    ['no name', { form: { password: 'x' } }, ['username']],
  ])('wants a form, not %s', async (_, options, missing) => {
    const { status, body } = await call('POST /auth/login', options);
    expect({ status, body }).toEqual({ status: 422, body: { detail: missing.map((field) => ({ loc: ['body', field], msg: 'Field required', type: 'missing' })) } });
  });

  it('refuses a field that comes twice', async () => {
    const { status, body } = await call('POST /auth/login', { raw: 'username=a&password=b&password=c', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect({ status, body }).toEqual({ status: 422, body: { detail: [{ loc: ['body', 'password'], msg: 'Input should be a valid string', type: 'string_type' }] } });
  });

  it('of a disabled account is told so only with the right password', async () => {
    const user = await registered();
    const boss = await suite.api.login('owner', 'plenty of words 42');
    await suite.api.call(`PATCH /users/${user.user.id as string}`, { token: boss.accessToken, json: { disabled: true } });
    expect((await login(user.username)).body).toEqual({ detail: 'Account is disabled' });
    expect((await login(user.username, 'wrong')).status).toBe(401);
    const { status, body } = await call('GET /auth/me', { token: user.access_token });
    expect({ status, body }).toEqual({ status: 401, body: NOT_VALIDATED });
  });
});

describe('lockout', () => {
  it('leaves an attacker five guesses, however many come at once', async () => {
    const { username, email } = await registered();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => login(n % 2 === 0 ? username : email, `wrong ${String(n)}`)));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    const locked = answers.filter(({ status }) => status === 423);
    expect(locked).toHaveLength(95);
    expect(locked[0]!.body).toEqual({ detail: 'Account is temporarily locked due to too many failed login attempts' });
    expect(Number(locked[0]!.headers.get('retry-after'))).toBeGreaterThan(890);
    expect((await login(username)).status).toBe(423);
  });

  it('does not lock out a browser that was here before', async () => {
    const { username } = await registered();
    const cookie = (await login(username)).headers.getSetCookie()[0]!.split(';')[0]!;
    for (let n = 0; n < 6; n += 1) await login(username, 'wrong');
    expect((await login(username)).status).toBe(423);
    expect((await login(username, PASSWORD, {}, { cookie })).status).toBe(200);
  });
});

describe('refresh', () => {
  const refresh = (refresh_token: unknown) => call('POST /auth/refresh', { json: { refresh_token } });

  it('gives a new access token for a refresh token that stays the same', async () => {
    const user = await registered();
    for (let n = 0; n < 3; n += 1) {
      const { status, body } = await refresh(user.refresh_token);
      expect({ status, body }).toEqual({ status: 200, body: { access_token: expect.stringMatching(JWT), token_type: 'bearer' } });
      expect(body.access_token).not.toBe(user.access_token);
      expect((await call('GET /auth/me', { token: body.access_token })).status).toBe(200);
    }
  });

  it('does not make the session last longer', async () => {
    const user = await registered();
    const { claims } = decodeJwt(user.access_token);
    await suite.database.pool.query("UPDATE sessions SET expires_at = expires_at - interval '6 days' WHERE id = $1", [claims['sid']]);
    expect((await refresh(user.refresh_token)).status).toBe(200);
    await suite.database.pool.query("UPDATE sessions SET expires_at = expires_at - interval '1 day' WHERE id = $1", [claims['sid']]);
    const { status, body } = await refresh(user.refresh_token);
    expect({ status, body }).toEqual({ status: 401, body: { detail: 'Invalid refresh token' } });
  });

  it('refuses what is no refresh token', async () => {
    const { access_token } = await registered();
    for (const token of ['', 'nonsense', access_token]) {
      const { status, body } = await refresh(token);
      expect({ status, body }).toEqual({ status: 401, body: { detail: 'Invalid refresh token' } });
    }
    const { status, body } = await refresh(7);
    expect({ status, body }).toEqual({ status: 422, body: { detail: [{ loc: ['body', 'refresh_token'], msg: 'Input should be a valid string', type: 'string_type' }] } });
    expect((await call('POST /auth/refresh', { json: {} })).body.detail).toEqual([{ loc: ['body', 'refresh_token'], msg: 'Field required', type: 'missing' }]);
  });
});

describe('the account', () => {
  it('has its name changed', async () => {
    const user = await registered();
    const put = (json: unknown) => call('PUT /auth/me', { token: user.access_token, json });
    expect((await put({ full_name: 'Ada', username: 'other' })).body).toEqual({ ...userOf(user), full_name: 'Ada' });
    expect((await put({})).body.full_name).toBe('Ada');
    expect((await put({ full_name: null })).body.full_name).toBeNull();
    for (const wrong of [7, [], 'x'.repeat(201)]) expect((await put({ full_name: wrong })).status).toBe(422);
    expect((await put([])).body).toEqual({ detail: [{ loc: ['body'], msg: 'Input should be a valid dictionary', type: 'dict_type' }] });
  });

  it('has its password changed, which ends the other sessions', async () => {
    const user = await registered();
    const { body: other } = await login(user.username);
    const next = 'another one of mine';
    const change = (json: object) => call('POST /auth/change-password', { token: user.access_token, json: { current_password: PASSWORD, new_password: next, new_password_confirm: next, ...json } });
    const wrong = await change({ current_password: 'wrong' });
    expect({ status: wrong.status, body: wrong.body }).toEqual({ status: 400, body: { detail: 'Current password is incorrect' } });
    expect((await change({ new_password: 'short', new_password_confirm: 'short' })).body).toEqual({
      detail: [{ loc: ['body', 'new_password'], msg: 'String should have at least 8 characters', type: 'string_too_short' }],
    });
    expect((await change({ new_password: 'password1', new_password_confirm: 'password1' })).body.detail[0].msg).toBe('Password is too common');
    expect((await change({ new_password_confirm: 'x' })).body.detail[0].loc).toEqual(['body', 'new_password_confirm']);
    const { status, body } = await change({});
    expect({ status, body }).toEqual({ status: 200, body: { message: 'Password changed successfully' } });
    expect((await call('GET /auth/me', { token: user.access_token })).status).toBe(200);
    expect((await call('GET /auth/me', { token: other.access_token })).body).toEqual(NOT_VALIDATED);
    expect((await call('POST /auth/refresh', { json: { refresh_token: other.refresh_token } })).status).toBe(401);
    expect((await login(user.username, next)).status).toBe(200);
  });

  it('counts guesses at the current password', async () => {
    const user = await registered();
    const guess = () => call('POST /auth/change-password', { token: user.access_token, json: { current_password: 'x', new_password: 'another one of mine', new_password_confirm: 'another one of mine' } });
    for (let n = 0; n < 5; n += 1) expect((await guess()).status).toBe(400);
    const { status, headers, body } = await guess();
    expect({ status, body }).toEqual({ status: 423, body: { detail: 'Account is temporarily locked due to too many failed login attempts' } });
    expect(headers.get('retry-after')).not.toBeNull();
  });

  it('is left', async () => {
    const { username } = await registered();
    const [{ body: one }, { body: other }] = await Promise.all([login(username), login(username)]);
    const { status, body } = await call('POST /auth/logout', { token: one.access_token });
    expect({ status, body }).toEqual({ status: 200, body: { message: 'Logged out successfully' } });
    expect((await call('GET /auth/me', { token: one.access_token })).body).toEqual(NOT_VALIDATED);
    expect((await call('POST /auth/refresh', { json: { refresh_token: one.refresh_token } })).body).toEqual({ detail: 'Invalid refresh token' });
    expect((await call('GET /auth/me', { token: other.access_token })).status).toBe(200);
  });
});

describe('the native API', () => {
  it('stands aside, with the same sessions', async () => {
    expect(new URL(suite.gatehouse.api).pathname).toBe('/native/v1');
    expect((await send(`GET ${suite.gatehouse.url}/health`)).body.nativeApi).toBe('/native/v1');
    const user = await registered();
    expect((await suite.api.call('GET /auth/me', { token: user.access_token })).body).toMatchObject({ id: user.user.id, role: 'member' });
    const { accessToken } = await suite.api.login(user.email, PASSWORD);
    expect((await call('GET /auth/me', { token: accessToken })).body.id).toBe(user.user.id);
    await call('POST /auth/logout', { token: user.access_token });
    expect((await suite.api.call('GET /auth/me', { token: user.access_token })).status).toBe(401);
    await suite.api.call('DELETE /auth/sessions', { token: accessToken });
    expect((await call('GET /auth/me', { token: accessToken })).status).toBe(200);
  });
});
