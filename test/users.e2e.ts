import type { Api, Json } from './support/client.js';
import { owner, PASSWORD, type Person, person, refusal } from './support/people.js';
import { startSuite, type Suite } from './support/suite.js';

const NOBODY = '01a20086-8628-74a2-bfd5-4b5a5a2dff5e';

describe('users', () => {
  let suite: Suite;
  let api: Api;
  let me: Person;
  const call = (target: string, json?: unknown) => api.call(target, { token: me.token, ...(json === undefined ? {} : { json }) });
  const create = (json: object) => call('POST /users', { password: PASSWORD, ...json });

  beforeAll(async () => {
    suite = await startSuite();
    api = suite.api;
    me = await owner(api);
  });
  afterAll(() => suite.stop());

  describe('are created', () => {
    it.each([
      [{ email: 'Ada@Example.com' }, { email: 'Ada@Example.com', username: null, name: null, role: 'member' }],
      [{ username: 'Åsa' }, { email: null, username: 'Åsa', role: 'member' }],
      [{ email: 'both@example.com', username: 'both', name: 'Both of Them', role: 'admin' }, { email: 'both@example.com', username: 'both', name: 'Both of Them', role: 'admin' }],
      [{ email: 'boss@local', role: 'owner' }, { email: 'boss@local', role: 'owner' }],
      [{ username: 'nulls', email: null, name: null }, { email: null, username: 'nulls', name: null }],
    ])('with %j', async (given, shown) => {
      const { status, body } = await create(given);
      expect(status).toBe(201);
      expect(body).toMatchObject({ ...shown, disabledAt: null, lockedUntil: null, lastLoginAt: null });
      expect(Object.keys(body).sort()).toEqual(
        ['createdAt', 'disabledAt', 'email', 'id', 'lastLoginAt', 'lockedUntil', 'name', 'role', 'updatedAt', 'username'],
      );
      expect((await call(`GET /users/${body.id as string}`)).body).toEqual(body);
      const identifier = (body.email ?? body.username) as string;
      expect((await api.login(identifier.toUpperCase(), PASSWORD)).user.id).toBe(body.id);
    });

    it.each([
      ['the same address', { email: 'taken@example.com' }, 'email_taken', 'email'],
      ['another case', { email: 'TAKEN@Example.COM' }, 'email_taken', 'email'],
      ['another form of the letters', { email: 'ｔａｋｅｎ@example.com' }, 'email_taken', 'email'],
      ['the same username', { username: 'taken' }, 'username_taken', 'username'],
      ['a username in another case', { username: 'TaKeN' }, 'username_taken', 'username'],
      ['a username with a ligature', { username: 'ﬁne' }, 'username_taken', 'username'],
    ])('but not twice with %s', async (_, json, code, field) => {
      await create({ email: 'taken@example.com', username: 'taken' });
      await create({ username: 'fine' });
      expect(refusal(await create(json))).toEqual({ status: 409, code, fields: [field] });
    });

    it('once, when asked for twice at the same moment', async () => {
      const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => create({ email: i % 2 === 0 ? 'race@example.com' : 'RACE@example.com' })));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    });

    it.each<[string, object, string]>([
      ['no identifier', {}, 'email'],
      ['null for both identifiers', { email: null, username: null }, 'email'],
      ['an address that is none', { email: 'ada' }, 'email'],
      ['a username with an @', { username: 'a@b' }, 'username'],
      ['a username with a space', { username: 'a b' }, 'username'],
      ['a username that only looks short', { username: '\ufdfa'.repeat(20) }, 'username'],
      ['a long username', { username: 'a'.repeat(65) }, 'username'],
      ['a name of nothing but length', { username: 'x', name: 'x'.repeat(201) }, 'name'],
      ['a name that would not fit', { username: 'x', name: `a${'\ufe0f'.repeat(300)}` }, 'name'],
      ['a NUL in the name', { username: 'x', name: 'a\0b' }, 'name'],
      ['a line break in the name', { username: 'x', name: 'a\nb' }, 'name'],
      ['an unknown role', { username: 'x', role: 'root' }, 'role'],
      ['null for a role', { username: 'x', role: null }, 'role'],
      ['a short password', { username: 'x', password: 'elevenchars' }, 'password'],
      ['a short password in long bytes', { username: 'x', password: '🐘'.repeat(11) }, 'password'],
      ['a common password', { username: 'x', password: 'Password1234' }, 'password'],
      ['the own address as password', { email: 'someone@example.com', password: 'Someone@example.com' }, 'password'],
      ['no password', { username: 'x', password: undefined }, 'password'],
      ['a password of endless combining marks', { username: 'x', password: `a${'\u0301\u0327'.repeat(200_000)}` }, 'password'],
      ['a field that only an administrator may change later', { username: 'x', disabled: true }, 'disabled'],
      ['an id', { username: 'x', id: NOBODY }, 'id'],
      ['a hash', { username: 'x', passwordHash: '$2b$' }, 'passwordHash'],
    ])('not with %s', async (_, json, field) => {
      const asked = Date.now();
      expect(refusal(await create(json))).toEqual({ status: 422, code: 'validation_failed', fields: [field] });
      expect(Date.now() - asked).toBeLessThan(3_000);
    });
  });

  describe('are changed', () => {
    let user: Json;
    beforeEach(async () => {
      user = (await create({ email: `u${String(Math.random()).slice(2)}@example.com`, username: `u${String(Math.random()).slice(2)}`, name: 'Before' })).body;
    });

    it.each<[object, object]>([
      [{ name: 'After' }, { name: 'After' }],
      [{ name: null }, { name: null }],
      [{ email: 'after@example.com' }, { email: 'after@example.com' }],
      [{ email: null }, { email: null }],
      [{ username: 'after' }, { username: 'after' }],
      [{ username: null }, { username: null }],
      [{ role: 'admin' }, { role: 'admin' }],
      [{ name: 'Two', role: 'owner' }, { name: 'Two', role: 'owner' }],
      [{ disabled: false }, { disabledAt: null }],
      [{ disabled: true }, { disabledAt: expect.any(String) }],
      [{}, {}],
    ])('by %j and nothing else', async (change, shown) => {
      const { status, body } = await call(`PATCH /users/${user.id as string}`, change);
      expect(status).toBe(200);
      expect(body).toEqual({ ...user, ...shown, ...(Object.keys(change).length === 0 ? {} : { updatedAt: expect.any(String) }) });
      await call(`DELETE /users/${user.id as string}`);
    });

    it.each<[string, object, string]>([
      ['both identifiers away', { email: null, username: null }, 'email'],
      ['a bad address', { email: 'nobody' }, 'email'],
      ['an empty name', { name: '' }, 'name'],
      ['null for disabled', { disabled: null }, 'disabled'],
      ['text for disabled', { disabled: 'true' }, 'disabled'],
      ['null for a role', { role: null }, 'role'],
      ['a password', { password: PASSWORD }, 'password'],
      ['a time', { disabledAt: null }, 'disabledAt'],
      ['a field that every object has', { toString: 'x' }, 'toString'],
      ['the constructor', { constructor: 'x' }, 'constructor'],
    ])('not by %s', async (_, change, field) => {
      expect(refusal(await call(`PATCH /users/${user.id as string}`, change))).toEqual({ status: 422, code: 'validation_failed', fields: [field] });
      expect((await call(`GET /users/${user.id as string}`)).body).toEqual(user);
    });

    it('to an identifier of their own in another case, but not to another user’s', async () => {
      const shout = (user.email as string).toUpperCase();
      expect((await call(`PATCH /users/${user.id as string}`, { email: shout })).body.email).toBe(shout);
      expect(refusal(await call(`PATCH /users/${user.id as string}`, { username: 'OWNER' }))).toMatchObject({ status: 409, code: 'username_taken' });
    });
  });

  describe('are listed', () => {
    it('page by page, without loss or repetition, newest first', async () => {
      await suite.database.pool.query(
        `INSERT INTO users (id, username, username_folded) SELECT ('01000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'walk' || n, 'walk' || n
           FROM generate_series(1, 257) n`,
      );
      const seen: string[] = [];
      let cursor: string | null = '';
      do {
        const { status, body }: { status: number; body: Json } = await call(`GET /users?search=walk&limit=50${cursor === '' ? '' : `&cursor=${cursor}`}`);
        expect(status).toBe(200);
        seen.push(...(body.items as { username: string }[]).map(({ username }) => username));
        cursor = body.nextCursor as string | null;
        // Whoever is made meanwhile is newer than all that is still to come.
        await create({ username: `walk-meanwhile-${String(seen.length)}` });
      } while (cursor !== null);
      expect(seen).toEqual(Array.from({ length: 257 }, (_, i) => `walk${String(257 - i)}`));
    });

    it('fifty at a time unless told otherwise, with no cursor after the last', async () => {
      const all = await call('GET /users?search=walk');
      expect(all.body.items).toHaveLength(50);
      expect((await call('GET /users?search=walk&limit=200')).body.items).toHaveLength(200);
      const exact = await call('GET /users?search=walk257&limit=1');
      expect(exact.body).toMatchObject({ items: [{ username: 'walk257' }], nextCursor: null });
    });

    it.each([
      ['100%', ['p100%']], ['%', ['p100%']], ['_', ['p_under']], ['\\', ['p\\back']], ['p_u', ['p_under']], ["'", ["p'quote"]],
      ['ÄRZTE@', ['die-ärzte@example.com']], ['ｄｉｅ-ä', ['die-ärzte@example.com']], ['no such one', []],
    ])('by a part of their name: %s', async (search, found) => {
      const names = ['p100%', 'p_under', 'p\\back', "p'quote"];
      for (const name of names) await create({ username: `s${Buffer.from(name).toString('hex')}`, name });
      await create({ email: 'die-ärzte@example.com' });
      const { status, body } = await call(`GET /users?search=${encodeURIComponent(search)}`);
      expect(status).toBe(200);
      expect((body.items as Json[]).map(({ name, email }) => name ?? email)).toEqual(found);
    });
  });

  it.each([
    { target: 'GET /users/:id' }, { target: 'PATCH /users/:id', json: {} }, { target: 'DELETE /users/:id' },
    { target: 'POST /users/:id/unlock' }, { target: 'DELETE /users/:id/sessions' },
    { target: 'POST /users/:id/password', json: { password: PASSWORD } },
  ])('$target knows a user from nobody, and an id from none', async ({ target, json }) => {
    expect(refusal(await call(target.replace(':id', NOBODY), json))).toEqual({ status: 404, code: 'not_found' });
    for (const id of ['1', 'none', `${NOBODY}0`, NOBODY.replace('-', ''), "'%20OR%201=1"]) {
      expect(refusal(await call(target.replace(':id', id), json))).toEqual({ status: 422, code: 'validation_failed', fields: ['id'] });
    }
    const shout = await person(api, me.token, 'member');
    expect((await call(target.replace(':id', shout.id.toUpperCase()), json)).status).toBeLessThan(300);
  });
});
