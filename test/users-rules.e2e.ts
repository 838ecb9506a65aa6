import { type Api, eventually } from './support/client.js';
import { owner, PASSWORD, type Person, person, refusal, signIn } from './support/people.js';
import { startSuite, type Suite } from './support/suite.js';

type Caller = 'owner' | 'admin' | 'member' | 'key to write' | 'key to read' | 'key for else' | 'key of the instance';

describe('administration of users', () => {
  let suite: Suite;
  let api: Api;
  let boss: Person;
  let callers: Record<Caller, { token: string } | { apiKey: string }>;

  beforeAll(async () => {
    // gh_ keys have a checksum; an imported one may be anything.
    suite = await startSuite({ BOOTSTRAP_API_KEY: 'imported-for-the-instance-0123456789' });
    api = suite.api;
    boss = await owner(api);
    const admin = await person(api, boss.token, 'admin');
    const keyOf = async (scopes: string[]) => ({ apiKey: (await api.createKey(admin.token, scopes)).key as string });
    callers = {
      owner: { token: boss.token },
      admin: { token: admin.token },
      member: { token: (await person(api, boss.token, 'member')).token },
      'key to write': await keyOf(['users:write']),
      'key to read': await keyOf(['users:read']),
      'key for else': await keyOf(['servers:*', 'api-keys:write']),
      'key of the instance': { apiKey: 'imported-for-the-instance-0123456789' },
    };
  });
  afterAll(() => suite.stop());

  const ROLE = { status: 403, code: 'insufficient_role' };
  const SCOPE = { status: 403, code: 'insufficient_scope' };
  const READ = ['GET /users', 'GET /users/:id'];
  const WRITE = [
    'POST /users', 'PATCH /users/:id', 'POST /users/:id/unlock', 'DELETE /users/:id/sessions', 'POST /users/:id/password', 'DELETE /users/:id',
  ];
  const bodyOf = (target: string): { json?: object } => {
    if (target === 'POST /users') return { json: { username: `made-${String(Math.random()).slice(2)}`, password: PASSWORD } };
    if (target.startsWith('PATCH')) return { json: { name: 'Changed' } };
    return target.endsWith('password') ? { json: { password: PASSWORD } } : {};
  };

  describe.each<[Caller, typeof ROLE | null, typeof ROLE | null]>([
    ['owner', null, null],
    ['admin', null, null],
    ['member', ROLE, ROLE],
    ['key to write', SCOPE, null],
    ['key to read', null, SCOPE],
    ['key for else', SCOPE, SCOPE],
    ['key of the instance', null, null],
  ])('by an %s', (caller, reading, writing) => {
    it.each([...READ.map((target) => [target, reading] as const), ...WRITE.map((target) => [target, writing] as const)])('%s', async (target, refused) => {
      const { id } = await api.createUser(boss.token, { username: `u-${String(Math.random()).slice(2)}`, password: PASSWORD });
      const answer = await api.call(target.replace(':id', id as string), { ...callers[caller], ...bodyOf(target) });
      if (refused === null) expect(answer.status).toBeLessThan(300);
      else expect(refusal(answer)).toEqual(refused);
    });
  });

  it.each(READ.concat(WRITE))('%s asks for a credential', async (target) => {
    expect(refusal(await api.call(target.replace(':id', boss.id), bodyOf(target)))).toEqual({ status: 401, code: 'missing_credential' });
  });

  describe.each<Caller>(['admin', 'key to write', 'key of the instance'])('leaves owners alone: an %s', (caller) => {
    it.each<[string, object | undefined]>([
      ['PATCH /users/:id', { name: 'Mine' }], ['PATCH /users/:id', { role: 'member' }], ['PATCH /users/:id', { disabled: true }], ['DELETE /users/:id', undefined],
      ['POST /users/:id/unlock', undefined], ['DELETE /users/:id/sessions', undefined], ['POST /users/:id/password', { password: PASSWORD }],
    ])('%s %j', async (target, json) => {
      const before = (await api.call(`GET /users/${boss.id}`, { token: boss.token })).body as unknown;
      expect(refusal(await api.call(target.replace(':id', boss.id), { ...callers[caller], ...(json ? { json } : {}) }))).toEqual(ROLE);
      expect((await api.call(`GET /users/${boss.id}`, { token: boss.token })).body).toEqual(before);
    });

    it('makes none', async () => {
      const { id } = await api.createUser(boss.token, { username: `u-${String(Math.random()).slice(2)}`, password: PASSWORD });
      expect(refusal(await api.call(`PATCH /users/${id as string}`, { ...callers[caller], json: { role: 'owner' } }))).toEqual(ROLE);
      const made = await api.call('POST /users', { ...callers[caller], json: { username: 'usurper', password: PASSWORD, role: 'owner' } });
      expect(refusal(made)).toEqual(ROLE);
    });
  });

  describe('a key that may administer users and no more, with administrators', () => {
    it.each<[string, object | undefined]>([
      ['PATCH /users/:id', { name: 'Mine' }], ['DELETE /users/:id', undefined], ['POST /users/:id/password', { password: PASSWORD }],
      ['POST /users/:id/unlock', undefined], ['DELETE /users/:id/sessions', undefined], ['POST /users', { username: 'climber', password: PASSWORD, role: 'admin' }],
    ])('leaves them alone: %s %j', async (target, json) => {
      const admin = await person(api, boss.token, 'admin');
      const answer = await api.call(target.replace(':id', admin.id), { ...callers['key to write'], ...(json ? { json } : {}) });
      expect(refusal(answer)).toEqual(SCOPE);
      expect((await api.call('GET /auth/me', { token: admin.token })).status).toBe(200);
    });

    it('cannot make a member one', async () => {
      const member = await person(api, boss.token, 'member');
      expect(refusal(await api.call(`PATCH /users/${member.id}`, { ...callers['key to write'], json: { role: 'admin' } }))).toEqual(SCOPE);
      expect((await api.call('GET /auth/me', { token: member.token })).body).toMatchObject({ role: 'member' });
    });
  });

  it.each([['DELETE', undefined], ['PATCH', { disabled: true }], ['PATCH', { role: 'admin' }]])('the last owner stays: %s %j', async (method, json) => {
    const other = await person(api, boss.token, 'owner');
    await api.call(`PATCH /users/${other.id}`, { token: boss.token, json: { disabled: true } });
    const refused = await api.call(`${method} /users/${boss.id}`, { token: boss.token, ...(json ? { json } : {}) });
    expect(refusal(refused)).toEqual({ status: 409, code: 'last_owner' });
    expect((await api.call('GET /auth/me', { token: boss.token })).body).toMatchObject({ role: 'owner', disabledAt: null });
    // An owner who is disabled is no other owner, and may go.
    expect((await api.call(`DELETE /users/${other.id}`, { token: boss.token })).status).toBe(204);
  });

  it('two owners who remove each other at once leave one', async () => {
    for (const [method, json] of [['DELETE', undefined], ['PATCH', { role: 'member' }], ['PATCH', { disabled: true }]] as const) {
      const a = await person(api, boss.token, 'owner');
      const b = await person(api, boss.token, 'owner');
      await suite.database.pool.query("UPDATE users SET disabled_at = now() WHERE role = 'owner' AND id <> ALL($1)", [[a.id, b.id]]);
      const by = (one: Person, other: Person) => api.call(`${method} /users/${other.id}`, { token: one.token, ...(json ? { json } : {}) });
      await Promise.all([by(a, b), by(b, a)]);
      const { rows } = await suite.database.pool.query("SELECT id FROM users WHERE role = 'owner' AND disabled_at IS NULL");
      expect(rows).toHaveLength(1);
      await suite.database.pool.query('UPDATE users SET disabled_at = NULL WHERE id = $1', [boss.id]);
      boss = await signIn(api, boss.email, boss.password);
      callers.owner = { token: boss.token };
    }
  });

  describe('takes effect at once:', () => {
    let user: Person;
    let apiKey: string;
    const works = async (): Promise<number[]> => {
      const session = await api.call('GET /auth/me', { token: user.token });
      const key = await api.call('GET /api-keys/current', { apiKey });
      return [session.status, key.status];
    };
    const change = (target: string, json?: object) => api.call(target.replace(':id', user.id), { token: boss.token, ...(json ? { json } : {}) });

    beforeEach(async () => {
      user = await person(api, boss.token, 'admin');
      apiKey = (await api.createKey(user.token, ['users:read'])).key as string;
      expect(await works()).toEqual([200, 200]);
    });

    it('disabling ends sessions and suspends keys; enabling gives back the keys alone', async () => {
      await change('PATCH /users/:id', { disabled: true });
      expect(await works()).toEqual([401, 401]);
      expect((await api.call('POST /auth/refresh', { json: { refreshToken: user.refreshToken } })).status).toBe(401);
      await change('PATCH /users/:id', { disabled: false });
      expect(await works()).toEqual([401, 200]);
      expect((await api.call('POST /auth/refresh', { json: { refreshToken: user.refreshToken } })).status).toBe(401);
      expect((await api.login(user.email, PASSWORD)).user.id).toBe(user.id);
    });

    it('deleting ends and removes everything', async () => {
      expect((await change('DELETE /users/:id')).status).toBe(204);
      expect(await works()).toEqual([401, 401]);
      const { rows } = await suite.database.pool.query(
        'SELECT id FROM sessions WHERE user_id = $1 UNION ALL SELECT id FROM api_keys WHERE user_id = $1', [user.id],
      );
      expect(rows).toEqual([]);
      expect((await change('GET /users/:id')).status).toBe(404);
    });

    it('demoting counts for the session and for the key', async () => {
      const uses = async () => [
        (await api.call('GET /users', { token: user.token })).status,
        refusal(await api.call('GET /users', { apiKey })).code,
      ];
      expect(await uses()).toEqual([200, undefined]);
      await change('PATCH /users/:id', { role: 'member' });
      expect(await uses()).toEqual([403, 'insufficient_scope']);
      await change('PATCH /users/:id', { role: 'admin' });
      expect(await uses()).toEqual([200, undefined]);
    });

    it('signing out everywhere ends sessions, not keys', async () => {
      const second = await signIn(api, user.email, PASSWORD);
      expect((await change('DELETE /users/:id/sessions')).status).toBe(204);
      expect(await works()).toEqual([401, 200]);
      expect((await api.call('GET /auth/me', { token: second.token })).status).toBe(401);
    });

    it('a new password ends sessions and replaces the old one', async () => {
      expect((await change('POST /users/:id/password', { password: 'another set of words 7' })).status).toBe(204);
      expect(await works()).toEqual([401, 200]);
      expect((await api.call('POST /auth/login', { json: { email: user.email, password: PASSWORD } })).status).toBe(401);
      expect((await api.login(user.email, 'another set of words 7')).user.id).toBe(user.id);
    });

    it.each([['short'], ['password1234']])('a bad password (%s) changes nothing', async (password) => {
      expect(refusal(await change('POST /users/:id/password', { password }))).toEqual({ status: 422, code: 'validation_failed', fields: ['password'] });
      expect(await works()).toEqual([200, 200]);
    });

    it('unlocking opens an account that wrong passwords have locked', async () => {
      const guess = (password: string) => api.call('POST /auth/login', { json: { email: user.email, password } });
      for (let i = 0; i < 5; i += 1) await guess('wrong');
      expect((await guess(PASSWORD)).status).toBe(423);
      expect((await change('GET /users/:id')).body.lockedUntil).toEqual(expect.any(String));
      expect((await change('POST /users/:id/unlock')).status).toBe(204);
      expect((await change('GET /users/:id')).body.lockedUntil).toBeNull();
      await eventually(async () => { expect((await guess(PASSWORD)).status).toBe(200); }, 0);
    });
  });
});
