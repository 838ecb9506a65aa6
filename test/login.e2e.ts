import { type Api, send } from './support/client.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

describe('login', () => {
  let suite: Suite;
  let api: Api;

  beforeAll(async () => {
    suite = await startSuite();
    api = suite.api;
  });
  afterAll(() => suite.stop());

  const login = (json: unknown) => api.call('POST /auth/login', { json });

  it.each([
    ['an email address', { email: OWNER.email }],
    ['an email address in another case', { email: 'OWNER@Example.com' }],
    ['an email address in full-width letters', { email: 'ｏｗｎｅｒ@example.com' }],
    ['a username', { username: OWNER.username }],
    ['a username in another case', { username: 'Owner' }],
    ['an identifier that is an email address', { identifier: OWNER.email }],
    ['an identifier that is a username', { identifier: OWNER.username }],
    ['a username that is an email address', { username: OWNER.email }],
  ])('takes %s', async (_, identifier) => {
    const { status, body, headers } = await login({ ...identifier, password: OWNER.password });
    expect(status).toBe(200);
    expect(body).toEqual({
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      tokenType: 'Bearer',
      expiresIn: 900,
      user: expect.objectContaining({ email: OWNER.email, username: OWNER.username, role: 'owner' }),
    });
    expect(headers.get('cache-control')).toBe('no-store');
    const me = await api.call('GET /auth/me', { token: body.accessToken });
    expect(me.body).toEqual(body.user);
  });

  it('takes a form as the OAuth 2.0 password flow sends it', async () => {
    const form = { grant_type: 'password', scope: 'a b', client_id: 'x', client_secret: 'y', username: OWNER.email, password: OWNER.password };
    const { status, body } = await api.call('POST /auth/login', { form });
    expect(status).toBe(200);
    expect(body).toMatchObject({ access_token: body.accessToken, token_type: 'bearer', tokenType: 'Bearer', expiresIn: 900 });
    expect((await api.call('GET /auth/me', { token: body.access_token })).status).toBe(200);
  });

  it('takes a form whose media type is written in capitals', async () => {
    const form = { username: OWNER.email, password: OWNER.password, grant_type: 'password' };
    const { status, body } = await api.call('POST /auth/login', { form, headers: { 'content-type': 'Application/X-WWW-Form-URLencoded' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ access_token: body.accessToken, token_type: 'bearer' });
  });

  it.each([['true', 30 * 24], ['false', 24]])('reads rememberMe=%s in a form, which carries but text', async (rememberMe, hours) => {
    const { body } = await api.call('POST /auth/login', { form: { username: OWNER.username, password: OWNER.password, rememberMe } });
    const { body: list } = await api.call('GET /auth/sessions', { token: body.accessToken });
    const { createdAt, expiresAt } = list.items.find((session: { current: boolean }) => session.current);
    expect(Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / 3_600_000)).toBe(hours);
  });

  it('answers JSON without the names of the OAuth 2.0 flow', async () => {
    const { body } = await login({ username: OWNER.username, password: OWNER.password });
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['access_token']));
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['token_type']));
  });

  it('keeps a remembered session for longer', async () => {
    const lifetimes = await Promise.all([undefined, false, true].map(async (rememberMe) => {
      const { body } = await login({ username: OWNER.username, password: OWNER.password, rememberMe });
      const { body: list } = await api.call('GET /auth/sessions', { token: body.accessToken });
      const current = list.items.find((session: { current: boolean }) => session.current);
      return Math.round((Date.parse(current.expiresAt) - Date.parse(current.createdAt)) / 3_600_000);
    }));
    expect(lifetimes).toEqual([24, 24, 30 * 24]);
  });

  it.each([
    ['nothing', undefined, 'password'],
    ['null', null, 'password'],
    ['an array', [], 'body'],
    ['a string', 'owner', 'body'],
    ['a number', 7, 'body'],
    ['no password', { email: OWNER.email }, 'password'],
    ['an empty password', { email: OWNER.email, password: '' }, 'password'],
    ['a number for a password', { email: OWNER.email, password: 12345678901234 }, 'password'],
    ['an array for a password', { email: OWNER.email, password: [OWNER.password] }, 'password'],
    ['null for a password', { email: OWNER.email, password: null }, 'password'],
    ['no identifier', { password: OWNER.password }, 'identifier'],
    ['an empty identifier', { identifier: '', password: OWNER.password }, 'identifier'],
    ['null for an identifier', { email: null, password: OWNER.password }, 'email'],
    ['an object for an identifier', { username: { $ne: '' }, password: OWNER.password }, 'username'],
    ['two identifiers', { email: OWNER.email, username: OWNER.username, password: OWNER.password }, 'identifier'],
    ['text for rememberMe', { email: OWNER.email, password: OWNER.password, rememberMe: 'yes' }, 'rememberMe'],
    ['true as text for rememberMe', { email: OWNER.email, password: OWNER.password, rememberMe: 'true' }, 'rememberMe'],
    ['an unknown field', { email: OWNER.email, password: OWNER.password, role: 'owner' }, 'role'],
    ['an OAuth 2.0 field in JSON', { email: OWNER.email, password: OWNER.password, grant_type: 'password' }, 'grant_type'],
  ])('refuses a body of %s and names the field', async (_, json, field) => {
    const { status, body } = json === undefined ? await api.call('POST /auth/login') : await login(json);
    expect(status).toBe(422);
    expect(body.code).toBe('validation_failed');
    expect(body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  it.each([
    ['a field twice', 'username=owner&password=a&password=b', 'password'],
    ['an unknown field', 'username=owner&password=a&role=owner', 'role'],
    ['another word for rememberMe', 'username=owner&password=a&rememberMe=yes', 'rememberMe'],
    ['an empty rememberMe', 'username=owner&password=a&rememberMe=', 'rememberMe'],
    ['rememberMe twice', 'username=owner&password=a&rememberMe=true&rememberMe=true', 'rememberMe'],
  ])('refuses a form with %s', async (_, raw, field) => {
    const { status, body } = await api.call('POST /auth/login', { raw, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect(status).toBe(422);
    expect(body.errors[0].field).toBe(field);
  });

  it.each([
    ['broken JSON', '{"email":', 'application/json', 400, 'malformed_body'],
    ['a poisoned prototype', '{"__proto__":{"email":"x"},"password":"y"}', 'application/json', 400, 'malformed_body'],
    ['a poisoned prototype in a form', '__proto__=1&username=owner&password=y', 'application/x-www-form-urlencoded', 400, 'malformed_body'],
    ['XML', '<login/>', 'application/xml', 415, 'unsupported_media_type'],
    ['more than the limit', `{"password":"${'x'.repeat(1024 * 1024)}"}`, 'application/json', 413, 'payload_too_large'],
  ])('refuses %s', async (_, raw, type, expected, code) => {
    const { status, body } = await api.call('POST /auth/login', { raw, headers: { 'content-type': type } });
    expect({ status, code: body.code }).toEqual({ status: expected, code });
  });

  it('does not read credentials from the query string', async () => {
    const query = new URLSearchParams({ identifier: OWNER.email, username: OWNER.email, password: OWNER.password }).toString();
    const { status, body } = await send(`POST ${suite.gatehouse.api}/auth/login?${query}`, { json: {} });
    expect(status).toBe(422);
    expect(body.errors[0].field).toBe('password');
    const half = await send(`POST ${suite.gatehouse.api}/auth/login?${query}`, { json: { identifier: OWNER.email, password: 'wrong' } });
    expect(half.status).toBe(401);
  });

  it.each([
    ['a NUL', 'owner\0@example.com'],
    ['a NUL and no address', 'owner\0'],
    ['control characters', 'owner\r\n\u0007@example.com'],
    ['half a surrogate pair', 'owner\ud800'],
    ['a megabyte', 'o'.repeat(1_000_000)],
    ['SQL', "owner' OR 1=1 --"],
    ['a wildcard', '%'],
    ['only white space', '   '],
  ])('finds nobody by an identifier with %s', async (_, identifier) => {
    const { status, body } = await login({ identifier, password: OWNER.password });
    expect({ status, code: body.code }).toEqual({ status: 401, code: 'invalid_credentials' });
  });

  it('tells a disabled account so only with the right password', async () => {
    const { accessToken } = await api.login(OWNER.email, OWNER.password);
    const user = await api.createUser(accessToken, { email: 'gone@example.com', password: OWNER.password });
    await api.call(`PATCH /users/${user.id as string}`, { token: accessToken, json: { disabled: true } });
    const right = await login({ email: user.email, password: OWNER.password });
    expect({ status: right.status, code: right.body.code }).toEqual({ status: 403, code: 'account_disabled' });
    const wrong = await login({ email: user.email, password: 'wrong' });
    expect({ status: wrong.status, code: wrong.body.code }).toEqual({ status: 401, code: 'invalid_credentials' });
  });

  it('remembers the browser in a cookie that scripts cannot read', async () => {
    const { headers } = await login({ email: OWNER.email, password: OWNER.password });
    const [pair, ...attributes] = headers.getSetCookie()[0]!.split('; ');
    expect(pair).toMatch(/^gh_device=[\w.%~-]+$/);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=15552000', 'Path=/', 'SameSite=Lax']);
  });

  it('sets no cookie when the password is wrong', async () => {
    const { headers } = await login({ email: OWNER.email, password: 'wrong' });
    expect(headers.getSetCookie()).toEqual([]);
    await login({ email: OWNER.email, password: OWNER.password });
  });
});
