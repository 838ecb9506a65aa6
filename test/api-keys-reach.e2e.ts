import type { Api, Json } from './support/client.js';
import { owner, type Person, person, refusal } from './support/people.js';
import { startSuite, type Suite } from './support/suite.js';

const INSTANCE_KEY = 'imported-for-the-instance-0123456789';
const SCOPE = { status: 403, code: 'insufficient_scope' };
const ROLE = { status: 403, code: 'insufficient_role' };
const MISSING = { status: 404, code: 'not_found' };

describe('an API key reaches no further than its maker', () => {
  let suite: Suite;
  let api: Api;
  let boss: Person;
  let admin: Person;
  let member: Person;
  const post = (by: object, json: object) => api.call('POST /api-keys', { ...by, json: { name: 'x', ...json } });
  const keyOf = async (who: Person, scopes: string[], more: object = {}): Promise<{ id: string; apiKey: string }> => {
    const made = await api.createKey(who.token, scopes, more);
    return { id: made.id as string, apiKey: made.key as string };
  };

  beforeAll(async () => {
    suite = await startSuite({ BOOTSTRAP_API_KEY: INSTANCE_KEY });
    api = suite.api;
    boss = await owner(api);
    admin = await person(api, boss.token, 'admin');
    member = await person(api, boss.token, 'member');
  });
  afterAll(() => suite.stop());

  it.each<[string, 'owner' | 'admin' | 'member' | string[], string[], boolean]>([
    ['an owner', 'owner', ['*'], true],
    ['an admin', 'admin', ['*'], true],
    ['an admin', 'admin', ['users:*'], true],
    ['a member', 'member', ['servers:*', 'api-keys:write'], true],
    ['a member', 'member', ['*'], false],
    ['a member', 'member', ['users:read'], false],
    ['a member', 'member', ['servers:read', 'audit:*'], false],
    ['a member', 'member', ['metrics:read'], false],
    ['a key', ['api-keys:write', 'servers:read'], ['servers:read'], true],
    ['a key', ['api-keys:write', 'servers:read'], ['servers:write'], false],
    ['a key', ['api-keys:write', 'servers:read'], ['servers:*'], false],
    ['a key', ['api-keys:write', 'servers:read'], ['*'], false],
    ['a key', ['api-keys:write', 'servers:*'], ['servers:read', 'servers:*'], true],
    ['a key', ['api-keys:*'], ['api-keys:write'], true],
    ['a key', ['api-keys:write'], ['api-keys:*'], false],
  ])('%s (%j) that asks for %j', async (_, maker, scopes, granted) => {
    const people = { owner: boss, admin, member };
    const by = typeof maker === 'string' ? { token: people[maker].token } : { apiKey: (await keyOf(admin, maker)).apiKey };
    const answer = await post(by, { scopes });
    if (granted) expect(answer.status).toBe(201);
    else {
      expect(refusal(answer)).toEqual(SCOPE);
      expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
    }
  });

  describe('a key with little', () => {
    let little: { id: string; apiKey: string };
    let wide: { id: string; apiKey: string };
    beforeAll(async () => {
      little = await keyOf(admin, ['api-keys:write', 'servers:read']);
      wide = await keyOf(admin, ['*']);
    });

    it.each<[string, object | undefined]>([
      ['POST /api-keys/:wide/rotate', {}],
      ['POST /api-keys/:wide/rotate', { overlapSeconds: 60 }],
      ['PATCH /api-keys/:wide', { name: 'mine' }],
      ['PATCH /api-keys/:wide', { scopes: ['servers:read'] }],
      ['PATCH /api-keys/:little', { scopes: ['*'] }],
      ['GET /api-keys?userId=:other', undefined],
    ])('is refused %s %j', async (target, json) => {
      const path = target.replace(':wide', wide.id).replace(':little', little.id).replace(':other', member.id);
      expect(refusal(await api.call(path, { apiKey: little.apiKey, ...(json ? { json } : {}) }))).toEqual(SCOPE);
      expect((await api.call('GET /users', { apiKey: wide.apiKey })).status).toBe(200);
    });

    it('may look at its user’s keys, without their secrets, and end them', async () => {
      const seen = await api.call(`GET /api-keys/${wide.id}`, { apiKey: little.apiKey });
      expect(seen.status).toBe(200);
      expect(JSON.stringify(seen.body)).not.toContain(wide.apiKey);
      const doomed = await keyOf(admin, ['*']);
      expect((await api.call(`DELETE /api-keys/${doomed.id}`, { apiKey: little.apiKey })).status).toBe(204);
    });

    it('may narrow and rotate itself', async () => {
      const own = await keyOf(admin, ['api-keys:write', 'servers:read']);
      const { status, body } = await api.call(`POST /api-keys/${own.id}/rotate`, { apiKey: own.apiKey, json: {} });
      expect({ status, scopes: body.scopes as unknown }).toEqual({ status: 201, scopes: ['api-keys:write', 'servers:read'] });
      expect((await api.call(`PATCH /api-keys/${body.id as string}`, { apiKey: body.key as string, json: { scopes: ['api-keys:write'] } })).status).toBe(200);
      expect(refusal(await api.call(`PATCH /api-keys/${body.id as string}`, { apiKey: body.key as string, json: { scopes: ['api-keys:write', 'servers:read'] } }))).toEqual(SCOPE);
    });
  });

  describe('a key bound to a resource', () => {
    const resource = { type: 'server', id: '7' };
    const scopes = ['api-keys:write', 'servers:read'];
    let bound: { id: string; apiKey: string };
    beforeAll(async () => { bound = await keyOf(admin, scopes, { resource }); });

    it.each<[unknown, number]>([[undefined, 201], [null, 201], [resource, 201], [{ type: 'server', id: '8' }, 403], [{ type: 'agent', id: '7' }, 403]])(
      'makes none for %j but for its own', async (asked, status) => {
        const answer = await post({ apiKey: bound.apiKey }, { scopes: ['servers:read'], ...(asked === undefined ? {} : { resource: asked }) });
        expect(answer.status).toBe(status);
        if (status === 201) expect(answer.body.resource).toEqual(resource);
      },
    );

    it('does not get hold of one that is free, or bound elsewhere', async () => {
      for (const more of [{}, { resource: { type: 'server', id: '8' } }]) {
        const other = await keyOf(admin, ['servers:read'], more);
        expect(refusal(await api.call(`POST /api-keys/${other.id}/rotate`, { apiKey: bound.apiKey, json: {} }))).toEqual(SCOPE);
        expect(refusal(await api.call(`PATCH /api-keys/${other.id}`, { apiKey: bound.apiKey, json: { name: 'x' } }))).toEqual(SCOPE);
      }
    });
  });

  describe('other people’s keys', () => {
    const TARGETS: [string, object | undefined][] = [
      ['GET /api-keys/:id', undefined], ['PATCH /api-keys/:id', { name: 'x' }], ['POST /api-keys/:id/rotate', {}], ['DELETE /api-keys/:id', undefined],
    ];
    const on = (target: string, id: string, by: object, json?: object) => api.call(target.replace(':id', id), { ...by, ...(json ? { json } : {}) });

    it.each(TARGETS)('are not there for members: %s', async (target, json) => {
      const [someones, instances] = [await keyOf(admin, ['servers:read']), await instanceKey()];
      const memberKey = await keyOf(member, ['api-keys:write', 'servers:read']);
      for (const id of [someones.id, instances.id as string]) {
        expect(refusal(await on(target, id, { token: member.token }, json))).toEqual(MISSING);
        expect(refusal(await on(target, id, { apiKey: memberKey.apiKey }, json))).toEqual(MISSING);
      }
      expect((await api.call('GET /api-keys/current', { apiKey: someones.apiKey })).status).toBe(200);
    });

    it.each(TARGETS)('are there for administrators: %s', async (target, json) => {
      const someones = await keyOf(member, ['servers:read']);
      expect((await on(target, someones.id, { token: admin.token }, json)).status).toBeLessThan(300);
    });

    it.each(TARGETS.slice(1))('an owner’s and the instance’s are an owner’s alone to change: %s', async (target, json) => {
      const owners = await keyOf(boss, ['servers:read']);
      const adminKey = await keyOf(admin, ['*']);
      for (const id of [owners.id, (await instanceKey()).id as string]) {
        expect(refusal(await on(target, id, { token: admin.token }, json))).toEqual(ROLE);
        expect(refusal(await on(target, id, { apiKey: adminKey.apiKey }, json))).toEqual(ROLE);
      }
      expect((await on(target, owners.id, { token: boss.token }, json)).status).toBeLessThan(300);
    });

    describe('and an administrator’s key that may not do everything', () => {
      let limited: { id: string; apiKey: string };
      let everything: { id: string; apiKey: string };
      let other: Person;
      beforeAll(async () => {
        limited = await keyOf(admin, ['users:write', 'api-keys:write', 'servers:read']);
        everything = await keyOf(admin, ['*']);
        other = await person(api, boss.token, 'admin');
      });

      it.each(TARGETS)('reaches those of members alone: %s', async (target, json) => {
        const by = { apiKey: limited.apiKey };
        const others = await keyOf(other, ['servers:read']);
        for (const id of [others.id, (await keyOf(boss, ['servers:read'])).id, (await instanceKey()).id as string]) {
          const answer = await on(target, id, by, json);
          expect(refusal(answer)).toEqual(SCOPE);
          expect(answer.headers.get('www-authenticate')).toContain('scope="*"');
        }
        expect((await api.call('GET /api-keys/current', { apiKey: others.apiKey })).body.revokedAt).toBeNull();
        for (const whose of [member, admin]) {
          expect((await on(target, (await keyOf(whose, ['servers:read'])).id, by, json)).status).toBeLessThan(300);
        }
        expect((await on(target, others.id, { apiKey: everything.apiKey }, json)).status).toBeLessThan(300);
      });

      it('lists no others either', async () => {
        const list = (userId: string, apiKey: string) => api.call(`GET /api-keys?userId=${userId}`, { apiKey });
        for (const userId of [other.id, boss.id, 'none']) {
          expect(refusal(await list(userId, limited.apiKey))).toEqual(SCOPE);
          expect((await list(userId, everything.apiKey)).status).toBe(200);
        }
        for (const userId of [member.id, admin.id]) expect((await list(userId, limited.apiKey)).status).toBe(200);
      });
    });

    it('are listed for administrators who ask for them', async () => {
      const { id } = await keyOf(member, ['servers:read']);
      const list = (query: string, token: string) => api.call(`GET /api-keys${query}`, { token });
      const ids = ({ body }: { body: Json }) => (body.items as { id: string }[]).map((one) => one.id);
      expect(ids(await list(`?userId=${member.id}`, admin.token))).toContain(id);
      expect(ids(await list(`?userId=${member.id.toUpperCase()}`, member.token))).toContain(id);
      expect(ids(await list('', admin.token))).not.toContain(id);
      for (const none of ['none', 'NONE']) expect((await list(`?userId=${none}`, admin.token)).body.items).toMatchObject([{ userId: null }]);
      for (const other of [admin.id, 'none']) expect(refusal(await list(`?userId=${other}`, member.token))).toEqual(ROLE);
      expect(refusal(await list('?userId=me', admin.token))).toEqual({ status: 422, code: 'validation_failed', fields: ['userId'] });
    });

    async function instanceKey(): Promise<Json> {
      return (await api.call('GET /api-keys?userId=none', { token: boss.token })).body.items[0];
    }
  });

  it('the instance’s own key makes keys of the instance', async () => {
    const { status, body } = await post({ apiKey: INSTANCE_KEY }, { scopes: ['servers:read'] });
    expect({ status, userId: body.userId as unknown }).toEqual({ status: 201, userId: null });
    expect((await api.call(`DELETE /api-keys/${body.id as string}`, { apiKey: INSTANCE_KEY })).status).toBe(204);
    await suite.database.pool.query('DELETE FROM api_keys WHERE id = $1', [body.id]);
  });

  it('the instance’s own key administers the keys of people, but for owners’', async () => {
    for (const who of [member, admin]) {
      const { id } = await keyOf(who, ['servers:read']);
      const listed = await api.call(`GET /api-keys?userId=${who.id}`, { apiKey: INSTANCE_KEY });
      expect((listed.body.items as { id: string }[]).map((one) => one.id)).toContain(id);
      expect((await api.call(`GET /api-keys/${id}`, { apiKey: INSTANCE_KEY })).body).toMatchObject({ id, userId: who.id });
      expect((await api.call(`DELETE /api-keys/${id}`, { apiKey: INSTANCE_KEY })).status).toBe(204);
    }
    const owners = await keyOf(boss, ['servers:read']);
    expect(refusal(await api.call(`DELETE /api-keys/${owners.id}`, { apiKey: INSTANCE_KEY }))).toEqual(ROLE);
  });

  it('a key of the instance that may not administer users sees its own alone', async () => {
    const { body: { id, key: apiKey } } = await post({ apiKey: INSTANCE_KEY }, { scopes: ['api-keys:write'] });
    const members = await keyOf(member, ['servers:read']);
    expect(refusal(await api.call(`GET /api-keys?userId=${member.id}`, { apiKey }))).toEqual(SCOPE);
    expect(refusal(await api.call(`GET /api-keys/${members.id}`, { apiKey }))).toEqual(MISSING);
    await suite.database.pool.query('DELETE FROM api_keys WHERE id = $1', [id]);
  });
});
