import { type Api } from './support/client.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'good enough for me';

describe('registration', () => {
  let suite: Suite;
  let api: Api;
  let closed: Api;

  beforeAll(async () => {
    suite = await startSuite({ REGISTRATION: 'open' });
    api = suite.api;
    closed = await suite.startAnother({ REGISTRATION: undefined });
  });
  afterAll(() => suite.stop());

  const register = (json: unknown) => api.call('POST /auth/register', { json });

  it.each([['a good body', { email: 'new@example.com', password: PASSWORD }], ['a bad body', { email: 'x' }], ['no body', {}]])(
    'is closed unless it was opened, before it looks at %s', async (_, json) => {
      const { status, body } = await closed.call('POST /auth/register', { json });
      expect({ status, code: body.code }).toEqual({ status: 403, code: 'registration_closed' });
    });

  it('makes a member and signs them in', async () => {
    const { status, body, headers } = await register({ email: 'Ada@example.com', password: PASSWORD, username: 'Ada', name: 'Ada L.' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ tokenType: 'Bearer', expiresIn: 900, user: { email: 'Ada@example.com', username: 'Ada', name: 'Ada L.', role: 'member' } });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.getSetCookie()[0]).toMatch(/^gh_device=.*HttpOnly/);
    expect(body.user.lastLoginAt).toBe(body.user.createdAt);
    expect((await api.call('GET /auth/me', { token: body.accessToken })).body).toEqual(body.user);
    await api.login('ada', PASSWORD);
    expect((await api.call('POST /auth/refresh', { json: { refreshToken: body.refreshToken } })).status).toBe(200);
  });

  it.each([
    ['too short', 'elevenchars', 422],
    ['just long enough', 'a dozen char', 201],
    ['too short in code points, though not in UTF-16', '👍'.repeat(11), 422],
    ['long enough in code points', '👍'.repeat(12), 201],
    ['too short once it is normalised', 'e\u0301'.repeat(11), 422],
    ['long enough once it is normalised', 'ﷺ', 201],
    ['well known', 'password1234', 422],
    ['well known in another case', 'PassWord1234', 422],
    ['well known in full-width letters', 'ｐａｓｓｗｏｒｄ１２３４', 422],
    ['the own email', 'policy@example.com', 422],
    ['the own email in another case', 'POLICY@example.com', 422],
    ['the own username', 'policy-username', 422],
    ['empty', '', 422],
    ['a list', ['good enough for me'], 422],
    ['half a megabyte', 'm'.repeat(500_000), 201],
  ])('takes a password for what it is: %s', async (_, password, expected) => {
    const { status, body } = await register({ email: 'policy@example.com', username: 'policy-username', password });
    expect(status).toBe(expected);
    if (status === 422) expect(body.errors).toEqual([{ field: 'password', message: expect.any(String) }]);
    await suite.database.pool.query(`DELETE FROM users WHERE username_folded = 'policy-username'`);
  });

  it.each([
    ['email_taken', 'email', { email: OWNER.email }],
    ['email_taken', 'email', { email: 'OWNER@EXAMPLE.COM' }],
    ['username_taken', 'username', { email: 'free@example.com', username: 'Owner' }],
  ])('refuses what is taken: %s', async (code, field, identifiers) => {
    const { status, body } = await register({ ...identifiers, password: PASSWORD });
    expect({ status, code: body.code, field: body.errors[0].field }).toEqual({ status: 409, code, field });
  });

  it.each([
    ['email', { password: PASSWORD }],
    ['email', { email: 'no address', password: PASSWORD }],
    ['email', { email: ['a@example.com'], password: PASSWORD }],
    ['email', { email: 'nul\0@example.com', password: PASSWORD }],
    ['username', { email: 'b@example.com', username: 'b@example.com', password: PASSWORD }],
    ['username', { email: 'b@example.com', username: '', password: PASSWORD }],
    ['name', { email: 'b@example.com', name: 'a\0b', password: PASSWORD }],
    ['role', { email: 'b@example.com', password: PASSWORD, role: 'owner' }],
    ['disabled', { email: 'b@example.com', password: PASSWORD, disabled: false }],
    ['password', { email: 'b@example.com' }],
  ])('names a bad %s', async (field, json) => {
    const { status, body } = await register(json);
    expect({ status, fields: body.errors.map((error: { field: string }) => error.field) }).toEqual({ status: 422, fields: [field] });
  });

  it('leaves nothing behind when it is refused', async () => {
    await register({ email: 'half@example.com', username: 'owner', password: PASSWORD });
    const { rows } = await suite.database.pool.query(`SELECT 1 FROM users WHERE email_folded = 'half@example.com'`);
    expect(rows).toEqual([]);
  });
});
