import { type Api } from './support/client.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'a member of the house';

describe('the own account', () => {
  let suite: Suite;
  let api: Api;
  let owner: string;
  let count = 0;

  beforeAll(async () => {
    suite = await startSuite();
    api = suite.api;
    owner = (await api.login(OWNER.email, OWNER.password)).accessToken;
  });
  afterAll(() => suite.stop());

  /** A new member who has signed in. */
  const member = async (): Promise<{ email: string; token: string; id: string }> => {
    const email = `member${String(count++)}@example.com`;
    await api.createUser(owner, { email, password: PASSWORD, name: 'Member' });
    const { accessToken, user } = await api.login(email, PASSWORD);
    return { email, token: accessToken, id: user.id };
  };
  const patch = (token: string, json: unknown) => api.call('PATCH /auth/me', { token, json });
  const changePassword = (token: string, currentPassword: string, newPassword: string) =>
    api.call('POST /auth/me/password', { token, json: { currentPassword, newPassword } });

  it('is shown as the database has it, not as the token was issued', async () => {
    const { token, id, email } = await member();
    await api.call(`PATCH /users/${id}`, { token: owner, json: { name: 'Renamed', role: 'admin' } });
    const { status, body } = await api.call('GET /auth/me', { token });
    expect(status).toBe(200);
    expect(body).toEqual({
      id, email, username: null, name: 'Renamed', role: 'admin', disabledAt: null, lockedUntil: null,
      lastLoginAt: expect.any(String), createdAt: expect.any(String), updatedAt: expect.any(String),
    });
  });

  it('is for people, not for API keys', async () => {
    const { key } = await api.createKey(owner, ['*']);
    for (const target of ['GET /auth/me', 'PATCH /auth/me', 'POST /auth/me/password', 'GET /auth/sessions', 'POST /auth/logout']) {
      const { status, body } = await api.call(target, { apiKey: key, ...(target.startsWith('GET') ? {} : { json: {} }) });
      expect({ target, status, code: body.code }).toEqual({ target, status: 403, code: 'insufficient_scope' });
    }
  });

  it('changes name and username without the password', async () => {
    const { token, email } = await member();
    const { status, body } = await patch(token, { name: 'New Name', username: 'New.Name' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: 'New Name', username: 'New.Name', email });
    await api.login('new.name', PASSWORD);
    expect((await patch(token, { name: null, username: null })).body).toMatchObject({ name: null, username: null });
  });

  it('changes the email with the current password alone', async () => {
    const { token, email } = await member();
    const missing = await patch(token, { email: 'moved@example.com' });
    expect(missing.status).toBe(422);
    expect(missing.body.errors).toEqual([{ field: 'currentPassword', message: expect.any(String) }]);
    const wrong = await patch(token, { email: 'moved@example.com', currentPassword: 'wrong' });
    expect({ status: wrong.status, code: wrong.body.code }).toEqual({ status: 422, code: 'invalid_current_password' });
    expect((await api.call('GET /auth/me', { token })).body.email).toBe(email);
    const right = await patch(token, { email: 'moved@example.com', currentPassword: PASSWORD });
    expect({ status: right.status, email: right.body.email }).toEqual({ status: 200, email: 'moved@example.com' });
    await api.login('moved@example.com', PASSWORD);
    expect((await api.call('POST /auth/login', { json: { email, password: PASSWORD } })).status).toBe(401);
  });

  it('needs the current password to take the email away, too', async () => {
    const { token } = await member();
    await patch(token, { username: `u${String(count++)}` });
    expect((await patch(token, { email: null })).body.errors[0].field).toBe('currentPassword');
    expect((await patch(token, { email: null, currentPassword: PASSWORD })).body.email).toBeNull();
    expect((await patch(token, { username: null })).status).toBe(422);
  });

  it('spells the same email anew without a password', async () => {
    const { token, email } = await member();
    expect((await patch(token, { email: email.toUpperCase() })).body.email).toBe(email.toUpperCase());
  });

  it.each([
    ['email', { email: 'OWNER@example.com', currentPassword: PASSWORD }, 'email_taken'],
    ['email in full-width letters', { email: 'ｏｗｎｅｒ@example.com', currentPassword: PASSWORD }, 'email_taken'],
    ['username', { username: 'OWNER' }, 'username_taken'],
  ])('refuses the %s of somebody else', async (_, change, code) => {
    const { token } = await member();
    const { status, body } = await patch(token, change);
    expect({ status, code: body.code, field: body.errors[0].field }).toEqual({ status: 409, code, field: code.split('_')[0] });
  });

  it.each([
    ['name', { name: '' }],
    ['name', { name: 'line\nbreak' }],
    ['name', { name: 'x'.repeat(201) }],
    ['name', { name: ['a'] }],
    ['email', { email: 'no address', currentPassword: PASSWORD }],
    ['email', { email: 'a＠b@example.com', currentPassword: PASSWORD }],
    ['email', { email: `${'a'.repeat(250)}@example.com`, currentPassword: PASSWORD }],
    ['email', { email: `a@${'İ'.repeat(60)}.${'İ'.repeat(60)}.${'İ'.repeat(60)}.com`, currentPassword: PASSWORD }],
    ['username', { username: 'with@at' }],
    ['username', { username: '.dot' }],
    ['username', { username: '⑴' }],
    ['username', { username: 'ﷺ'.repeat(10) }],
    ['username', { username: 'İ'.repeat(64) }],
    ['username', { username: 'x'.repeat(65) }],
    ['currentPassword', { currentPassword: null }],
    ['role', { role: 'owner' }],
    ['password', { password: 'another good one' }],
  ])('refuses a bad %s: %j', async (field, change) => {
    const { token } = await member();
    const { status, body } = await patch(token, change);
    expect({ status, fields: body.errors?.map((error: { field: string }) => error.field) }).toEqual({ status: 422, fields: [field] });
  });

  it('writes no event for a change of nothing', async () => {
    const { token, id } = await member();
    expect((await patch(token, {})).status).toBe(200);
    const { body } = await api.call(`GET /audit-events?userId=${id}&action=user.updated`, { token: owner });
    expect(body.items).toEqual([]);
  });

  it('changes the password, keeps this session and ends the others', async () => {
    const { token, email } = await member();
    const other = await api.login(email, PASSWORD);
    expect((await changePassword(token, PASSWORD, 'quite another one')).status).toBe(204);
    expect((await api.call('GET /auth/me', { token })).status).toBe(200);
    expect((await api.call('GET /auth/me', { token: other.accessToken })).status).toBe(401);
    expect((await api.call('POST /auth/refresh', { json: { refreshToken: other.refreshToken } })).status).toBe(401);
    expect((await api.call('POST /auth/login', { json: { email, password: PASSWORD } })).status).toBe(401);
    await api.login(email, 'quite another one');
  });

  it.each([
    ['the current password is wrong', 'wrong', 'quite another one', 'currentPassword', 'invalid_current_password'],
    ['the current password is wrong and the new one bad', 'wrong', 'short', 'currentPassword', 'invalid_current_password'],
    ['the new one is too short', PASSWORD, 'short', 'newPassword', 'validation_failed'],
    ['the new one is well known', PASSWORD, 'Password1234', 'newPassword', 'validation_failed'],
  ])('does not change the password when %s', async (_, current, next, field, code) => {
    const { token, email } = await member();
    const other = await api.login(email, PASSWORD);
    const { status, body } = await changePassword(token, current, next);
    expect({ status, code: body.code, field: body.errors[0].field }).toEqual({ status: 422, code, field });
    expect((await api.call('GET /auth/me', { token: other.accessToken })).status).toBe(200);
  });

  it('does not take the own email for a password', async () => {
    const { token, email } = await member();
    const { status, body } = await changePassword(token, PASSWORD, email.toUpperCase());
    expect({ status, field: body.errors[0].field }).toEqual({ status: 422, field: 'newPassword' });
  });

  it('locks the question for the current password in one session, and nothing else', async () => {
    const { token, email } = await member();
    const other = await api.login(email, PASSWORD);
    for (let guess = 0; guess < 5; guess++) {
      const { status } = guess % 2 === 0 ? await changePassword(token, 'wrong', 'quite another one') : await patch(token, { email: 'x@example.com', currentPassword: 'wrong' });
      expect(status).toBe(422);
    }
    const locked = await changePassword(token, PASSWORD, 'quite another one');
    expect({ status: locked.status, code: locked.body.code }).toEqual({ status: 423, code: 'account_locked' });
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(890);
    expect((await patch(token, { name: 'Still me' })).body).toMatchObject({ name: 'Still me', lockedUntil: null });
    await api.login(email, PASSWORD);
    expect((await changePassword(other.accessToken, PASSWORD, 'quite another one')).status).toBe(204);
  });

  it('counts guesses from 0 after a right one', async () => {
    const { token } = await member();
    for (const current of ['wrong', 'wrong', 'wrong', 'wrong', PASSWORD, 'wrong', 'wrong', 'wrong', 'wrong', PASSWORD]) {
      const { status } = await changePassword(token, current, PASSWORD);
      expect(status).toBe(current === PASSWORD ? 204 : 422);
    }
  });
});
