import { type Answer, type Json, type RequestOptions, send } from './support/client.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'three random words 42';
const NEEDS_ADMIN = 'Admin or owner access required to manage users';

describe('administration through mosbot', () => {
  let suite: Suite;
  let owner: string;
  let ownerId: string;
  let count = 0;

  beforeAll(async () => {
    suite = await startSuite({ DIALECTS: 'mosbot' });
    const { body } = await login(OWNER.email, OWNER.password);
    owner = body.token;
    ownerId = body.user.id;
  });
  afterAll(() => suite.stop());

  const call = (target: string, options: RequestOptions = {}): Promise<Answer<Json>> => {
    const [method = '', path = ''] = target.split(' ');
    return send(`${method} ${suite.gatehouse.url}/api/v1${path}`, options);
  };
  const login = (email: string, password: string) => call('POST /auth/login', { json: { email, password } });
  const create = (json: object, token = owner) =>
    call('POST /admin/users', { token, json: { name: 'Somebody', email: `somebody${String(count++)}@example.com`, ...json } });
  const put = (id: string, json: unknown, token = owner) => call(`PUT /admin/users/${id}`, { token, json });
  /** Somebody in a role who has signed in. */
  const person = async (role: string): Promise<{ id: string; email: string; token: string }> => {
    const { body } = await create({ role, password: PASSWORD });
    const { id, email } = body.data;
    return { id, email, token: (await login(email, PASSWORD)).body.token };
  };
  const failure = (status: number, message: string) => ({ status, body: { error: { message, status } } });
  const seen = ({ status, body }: Answer<Json>) => ({ status, body });

  it('creates an account, and shows it', async () => {
    const json = { name: 'Ada', email: 'ada@example.com', password: PASSWORD, role: 'admin', active: true, avatar_url: '/ada.png' };
    const { status, body } = await create(json);
    const { password: _, ...shown } = json;
    expect({ status, body }).toEqual({ status: 201, body: { data: { id: expect.any(String), created_at: expect.any(String), ...shown } } });
    expect(seen(await call(`GET /admin/users/${body.data.id}`, { token: owner }))).toEqual({ status: 200, body });
    const list = await call('GET /admin/users', { token: owner });
    expect(list.body.data).toContainEqual(body.data);
    expect((await login(json.email, PASSWORD)).body.user.role).toBe('admin');
  });

  it('creates users who are active unless it is told otherwise', async () => {
    expect((await create({})).body.data).toMatchObject({ role: 'user', active: true, avatar_url: null });
    expect((await create({ role: 'user', active: false, avatar_url: null })).body.data).toMatchObject({ role: 'user', active: false });
  });

  it('creates an account without a password, which nobody can sign in to until one is set', async () => {
    const { body } = await create({});
    for (const password of ['', ' ', 'null', 'undefined', PASSWORD]) {
      expect((await login(body.data.email, password)).status).toBe(password === '' ? 400 : 401);
    }
    expect((await put(body.data.id, { password: PASSWORD })).status).toBe(200);
    expect((await login(body.data.email, PASSWORD)).status).toBe(200);
  });

  it('takes the right password of a deactivated account for nothing but a hint', async () => {
    const { body } = await create({ password: PASSWORD, active: false });
    expect(seen(await login(body.data.email, PASSWORD))).toEqual(failure(403, 'Account is deactivated. Please contact an administrator.'));
    expect(seen(await login(body.data.email, 'wrong'))).toEqual(failure(401, 'Invalid credentials'));
  });

  it('changes what is sent and leaves the rest', async () => {
    const { id } = (await create({ name: 'Before', role: 'user', avatar_url: 'https://example.com/a.png' })).body.data;
    const { status, body } = await put(id, { name: 'After' });
    expect(status).toBe(200);
    expect(body.data).toMatchObject({ id, name: 'After', role: 'user', active: true, avatar_url: 'https://example.com/a.png' });
    const all = { name: 'All', email: 'all@example.com', role: 'admin', active: false, avatar_url: null };
    expect((await put(id, { ...all, password: null })).body.data).toEqual({ id, created_at: body.data.created_at, ...all });
  });

  it.each([
    ['a deactivation', { active: false }],
    ['a new password', { password: 'four other random words' }],
  ])('ends the sessions with %s, at once and everywhere', async (_, change) => {
    const { id, token } = await person('user');
    expect((await call('GET /auth/me', { token })).status).toBe(200);
    expect((await put(id, change)).status).toBe(200);
    expect(seen(await call('GET /auth/me', { token }))).toEqual(failure(401, 'Invalid or expired token'));
    expect((await send(`GET ${suite.gatehouse.url}/native/v1/auth/me`, { token })).status).toBe(401);
  });

  it('counts the stored role, never the claim', async () => {
    const { id, token } = await person('admin');
    expect((await call('GET /admin/users', { token })).status).toBe(200);
    await put(id, { role: 'user' });
    expect(seen(await call('GET /admin/users', { token }))).toEqual(failure(403, NEEDS_ADMIN));
    await put(id, { role: 'admin' });
    expect((await call('GET /admin/users', { token })).status).toBe(200);
  });

  it('deletes an account with its tokens', async () => {
    const { id, token, email } = await person('user');
    const { status, body } = await call(`DELETE /admin/users/${id}`, { token: owner });
    expect({ status, body }).toEqual({ status: 204, body: '' });
    expect((await call('GET /auth/me', { token })).status).toBe(401);
    expect((await login(email, PASSWORD)).status).toBe(401);
    expect(seen(await call(`GET /admin/users/${id}`, { token: owner }))).toEqual(failure(404, 'Not found'));
  });

  it('deletes with a media type and no body, as clients do that send the header always', async () => {
    const { id } = await person('user');
    const headers = { 'content-type': 'application/json' };
    expect((await call(`DELETE /admin/users/${id}`, { token: owner, headers })).status).toBe(204);
  });

  it('lets nobody in but admins and owners', async () => {
    const { id, token } = await person('user');
    for (const target of ['GET /admin/users', 'POST /admin/users', `GET /admin/users/${id}`, `PUT /admin/users/${id}`, `DELETE /admin/users/${id}`]) {
      const json = /POST|PUT/.test(target) ? { json: { role: 'owner' } } : {};
      expect({ target, ...seen(await call(target, { token, ...json })) }).toEqual({ target, ...failure(403, NEEDS_ADMIN) });
      expect({ target, ...seen(await call(target, json)) }).toEqual({ target, ...failure(401, 'No token provided') });
    }
  });

  it('keeps admins away from owners', async () => {
    const { token, id } = await person('admin');
    const refused = failure(403, 'Only an owner may do this to an owner.');
    expect(seen(await create({ role: 'owner' }, token))).toEqual(refused);
    expect(seen(await put(id, { role: 'owner' }, token))).toEqual(refused);
    for (const change of [{ role: 'user' }, { active: false }, { password: PASSWORD }, { email: 'mine@example.com' }]) {
      expect(seen(await put(ownerId, change, token))).toEqual(refused);
    }
    expect(seen(await call(`DELETE /admin/users/${ownerId}`, { token }))).toEqual(refused);
  });

  it('keeps the last owner', async () => {
    const refused = failure(409, 'The last owner cannot be removed, deactivated or demoted');
    expect(seen(await put(ownerId, { role: 'admin' }))).toEqual(refused);
    expect(seen(await put(ownerId, { active: false }))).toEqual(refused);
    expect(seen(await call(`DELETE /admin/users/${ownerId}`, { token: owner }))).toEqual(refused);
  });

  it('changes nothing at all when a part of the change is refused', async () => {
    const { id, email } = await person('user');
    expect((await put(id, { name: 'Changed', password: 'short' })).status).toBe(400);
    expect((await put(id, { name: 'Changed', email: OWNER.email, password: 'four other random words' })).status).toBe(409);
    expect((await call(`GET /admin/users/${id}`, { token: owner })).body.data).toMatchObject({ name: 'Somebody', email });
    expect((await login(email, PASSWORD)).status).toBe(200);
  });

  it.each<[string, object, number, string]>([
    ['a taken email', { email: OWNER.email }, 409, 'Email already exists'],
    ['a bad email', { email: 'x' }, 400, 'Valid email is required'],
    ['null for an email', { email: null }, 400, 'Valid email is required'],
    ['an empty name', { name: '' }, 400, 'Name is required'],
    ['the core\'s word for users', { role: 'member' }, 400, 'Role must be one of owner, admin, user'],
    ['a property of every object for a role', { role: 'constructor' }, 400, 'Role must be one of owner, admin, user'],
    ['an array for a role', { role: ['admin'] }, 400, 'Role must be one of owner, admin, user'],
    ['a word for active', { active: 'false' }, 400, 'active must be true or false'],
    ['null for active', { active: null }, 400, 'active must be true or false'],
    ['a short password', { password: 'elevenchars' }, 400, 'Password must be at least 12 characters'],
    ['an empty password', { password: '' }, 400, 'Password must be at least 12 characters'],
    ['a common password', { password: 'passwordpassword' }, 400, 'Password is too common'],
    ['a long picture URL', { avatar_url: `https://example.com/${'x'.repeat(2000)}` }, 400, 'avatar_url must be an http or https URL of at most 2000 characters'],
  ])('refuses %s, in a new account and in a change', async (_, json, status, message) => {
    expect(seen(await create(json))).toEqual(failure(status, message));
    const { id } = (await create({})).body.data;
    expect(seen(await put(id, json))).toEqual(failure(status, message));
  });

  it('asks for name and email in a new account', async () => {
    expect(seen(await create({ name: undefined }))).toEqual(failure(400, 'Name is required'));
    expect(seen(await create({ email: undefined }))).toEqual(failure(400, 'Valid email is required'));
  });

  it.each([
    ['an id that is none', 'x', 400, 'id must be a UUID'],
    ['an id of nobody', '00000000-0000-4000-8000-000000000000', 404, 'Not found'],
  ])('refuses %s', async (_, id, status, message) => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const options = { token: owner, ...(method === 'PUT' ? { json: { name: 'x', password: PASSWORD } } : {}) };
      expect({ method, ...seen(await call(`${method} /admin/users/${id}`, options)) }).toEqual({ method, ...failure(status, message) });
    }
  });
});
