import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Api, eventually, type Json, send } from './support/client.js';
import { owner, type Person, person, refusal } from './support/people.js';
import { startSuite, type Suite } from './support/suite.js';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (; digits.length < 6; rest = Math.floor(rest / 62)) digits = BASE62.charAt(rest % 62) + digits;
  return digits;
}

describe('API keys', () => {
  let suite: Suite;
  let api: Api;
  let boss: Person;
  let member: Person;
  const SCOPES = ['servers:read', 'api-keys:write'];
  const make = (more: object = {}, token = member.token): Promise<Json> => api.createKey(token, SCOPES, more);
  const as = (token: string) => (target: string, json?: unknown) => api.call(target, { token, ...(json === undefined ? {} : { json }) });
  const call = (target: string, json?: unknown) => as(member.token)(target, json);
  const works = async (key: string): Promise<boolean> => (await api.call('GET /api-keys/current', { apiKey: key })).status === 200;

  beforeAll(async () => {
    suite = await startSuite();
    api = suite.api;
    boss = await owner(api);
    member = await person(api, boss.token, 'member');
  });
  afterAll(() => suite.stop());

  it('are long, random, and checked against typing errors', async () => {
    const { key, prefix } = await make();
    expect(key).toMatch(/^gh_[0-9A-Za-z]{49}$/);
    expect((key as string).slice(-6)).toBe(checksum((key as string).slice(0, -6)));
    expect((key as string).slice(0, 9)).toBe(prefix);
    expect(await works(key as string)).toBe(true);
    const typo = (key as string).replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));
    for (const wrong of [typo, (key as string).slice(0, -1), `${key as string}x`, (key as string).toLowerCase(), (key as string).replace('gh_', 'hg_')]) {
      expect(refusal(await api.call('GET /api-keys/current', { apiKey: wrong }))).toEqual({ status: 401, code: 'invalid_api_key' });
    }
  });

  it('are shown once and kept as a hash', async () => {
    const { key, ...shown } = await make();
    const { id } = shown as { id: string };
    expect((await call(`GET /api-keys/${id}`)).body).toEqual(shown);
    expect(JSON.stringify((await call('GET /api-keys')).body)).not.toContain(key);
    const { rows } = await suite.database.pool.query<{ row: string; key_hash: Buffer }>('SELECT k::text AS row, key_hash FROM api_keys k WHERE id = $1', [id]);
    expect(rows[0]?.row).not.toContain((key as string).slice(9));
    expect(rows[0]?.key_hash).toEqual(createHash('sha256').update(key as string).digest());
  });

  it('say what they are to whoever holds them', async () => {
    const { key, ...shown } = await api.createKey(member.token, ['servers:read'], { name: 'CI', resource: { type: 'server', id: '7' }, expiresAt: '2100-01-01T00:00:00+02:00' });
    expect(shown).toMatchObject({
      name: 'CI', scopes: ['servers:read'], resource: { type: 'server', id: '7' }, expiresAt: '2099-12-31T22:00:00.000Z',
      lastUsedAt: null, revokedAt: null, userId: member.id,
    });
    const { status, body } = await api.call('GET /api-keys/current', { apiKey: key as string });
    expect({ status, id: body.id }).toEqual({ status: 200, id: shown.id });
    expect(refusal(await call('GET /api-keys/current'))).toEqual({ status: 401, code: 'missing_credential' });
  });

  it.each<[string, object, string]>([
    ['no scopes', { scopes: undefined }, 'scopes'],
    ['null', { scopes: null }, 'scopes'],
    ['an empty list', { scopes: [] }, 'scopes'],
    ['text', { scopes: '*' }, 'scopes'],
    ['an object', { scopes: { 0: '*', length: 1 } }, 'scopes'],
    ['a word', { scopes: ['servers'] }, 'scopes'],
    ['every resource', { scopes: ['*:read'] }, 'scopes'],
    ['capital letters', { scopes: ['Servers:read'] }, 'scopes'],
    ['a list in the list', { scopes: [['servers:read']] }, 'scopes'],
    ['a number in the list', { scopes: [1] }, 'scopes'],
    ['the same twice', { scopes: ['a:b', 'a:b'] }, 'scopes'],
    ['more than anybody needs', { scopes: Array.from({ length: 60_000 }, (_, i) => `a:${i.toString(36)}`) }, 'scopes'],
    ['a scope without end', { scopes: [`a:${'b'.repeat(500_000)}`] }, 'scopes'],
    ['no name', { name: undefined }, 'name'],
    ['an end in the past', { expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ['an end in milliseconds', { expiresAt: 4_102_444_800_000 }, 'expiresAt'],
    ['an end without an offset', { expiresAt: '2100-01-01T00:00:00' }, 'expiresAt'],
    ['a day that is none', { expiresAt: '2100-02-31T00:00:00Z' }, 'expiresAt'],
    ['a day that is none, without a time', { expiresAt: '2100-04-31' }, 'expiresAt'],
    ['a leap day in a year that has none', { expiresAt: '2100-02-29T12:00:00+02:00' }, 'expiresAt'],
    ['a month that is none', { expiresAt: '2100-13-01' }, 'expiresAt'],
    ['an hour that is none', { expiresAt: '2100-02-28T25:00:00Z' }, 'expiresAt'],
    ['words for an end', { expiresAt: 'tomorrow' }, 'expiresAt'],
    ['a far end', { expiresAt: '+275760-09-13T00:00:00.000Z' }, 'expiresAt'],
    ['half a resource', { resource: { type: 'server' } }, 'resource.id'],
    ['a number in a resource', { resource: { type: 'server', id: 5 } }, 'resource.id'],
    ['more in a resource', { resource: { type: 'server', id: '5', admin: true } }, 'resource.admin'],
    ['text for a resource', { resource: 'server' }, 'resource'],
    ['an empty list of resources', { resource: [] }, 'resource'],
    ['a list of resources', { resource: [{ type: 'server', id: '5' }] }, 'resource'],
    ['a user', { userId: '01a20086-8628-74a2-bfd5-4b5a5a2dff5e' }, 'userId'],
  ])('are not made with %s', async (_, json, field) => {
    const asked = Date.now();
    expect(refusal(await call('POST /api-keys', { name: 'x', scopes: SCOPES, ...json }))).toEqual({ status: 422, code: 'validation_failed', fields: [field] });
    expect(Date.now() - asked).toBeLessThan(3_000);
  });

  it('change name, scopes and end, each on its own', async () => {
    const { key, ...before } = await make({ expiresAt: '2100-01-01T00:00:00Z' });
    const { id } = before as { id: string };
    for (const [change, shown] of [
      [{ name: 'new' }, { name: 'new' }],
      [{ scopes: ['servers:read'] }, { name: 'new', scopes: ['servers:read'] }],
      [{ expiresAt: null }, { name: 'new', scopes: ['servers:read'], expiresAt: null }],
      [{}, { name: 'new', scopes: ['servers:read'], expiresAt: null }],
    ]) {
      const { status, body } = await call(`PATCH /api-keys/${id}`, change);
      expect(status).toBe(200);
      expect(body).toEqual({ ...before, ...shown });
    }
    expect(refusal(await api.call('GET /api-keys', { apiKey: key as string }))).toEqual({ status: 403, code: 'insufficient_scope' });
    for (const [change, field] of [[{ name: null }, 'name'], [{ scopes: null }, 'scopes'], [{ scopes: [] }, 'scopes'], [{ resource: null }, 'resource']] as const) {
      expect(refusal(await call(`PATCH /api-keys/${id}`, change))).toEqual({ status: 422, code: 'validation_failed', fields: [field] });
    }
  });

  it('end at once, once, and stay in the list', async () => {
    const { id, key } = await make();
    expect(await works(key as string)).toBe(true);
    expect((await call(`DELETE /api-keys/${id as string}`)).status).toBe(204);
    expect(await works(key as string)).toBe(false);
    const revokedAt = (await call(`GET /api-keys/${id as string}`)).body.revokedAt as string;
    expect(revokedAt).toEqual(expect.any(String));
    expect((await call(`DELETE /api-keys/${id as string}`)).status).toBe(204);
    const listed = ((await call('GET /api-keys?limit=200')).body.items as Json[]).find((one) => one.id === id);
    expect(listed).toMatchObject({ id, revokedAt });
  });

  it('end when their time has come', async () => {
    const { id, key } = await make({ expiresAt: '2100-01-01T00:00:00Z' });
    await suite.database.pool.query("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1", [id]);
    expect(await works(key as string)).toBe(false);
  });

  describe('are rotated', () => {
    const rotate = (id: string, json?: object) => call(`POST /api-keys/${id}/rotate`, json);

    it.each([[undefined], [{}], [{ overlapSeconds: 0 }]])('without overlap (%j): the old key ends with the answer', async (json) => {
      const old = await make({ name: 'kept', resource: { type: 'server', id: '7' }, expiresAt: '2100-01-01T00:00:00Z' });
      const { status, body } = await rotate(old.id as string, json);
      expect(status).toBe(201);
      expect(body).toMatchObject({ name: 'kept', scopes: SCOPES, resource: { type: 'server', id: '7' }, expiresAt: '2100-01-01T00:00:00.000Z', userId: member.id });
      expect([body.id === old.id, await works(old.key as string), await works(body.key as string)]).toEqual([false, false, true]);
      expect(refusal(await rotate(old.id as string))).toEqual({ status: 404, code: 'not_found' });
    });

    it('with overlap: both work until it is over, however often it is asked for', async () => {
      const old = await make();
      const first = (await rotate(old.id as string, { overlapSeconds: 3600 })).body;
      expect([await works(old.key as string), await works(first.key as string)]).toEqual([true, true]);
      const ends = (await call(`GET /api-keys/${old.id as string}`)).body.expiresAt as string;
      expect(Date.parse(ends) - Date.now()).toBeGreaterThan(3_590_000);
      const second = (await rotate(old.id as string, { overlapSeconds: 604_800 })).body;
      expect((await call(`GET /api-keys/${old.id as string}`)).body.expiresAt).toBe(ends);
      expect([first.expiresAt, second.expiresAt]).toEqual([null, null]);
      // Neither a new end nor none gives a retiring key more time.
      await call(`PATCH /api-keys/${old.id as string}`, { expiresAt: null });
      expect((await call(`GET /api-keys/${old.id as string}`)).body.expiresAt).toBe(ends);
      await suite.database.pool.query("UPDATE api_keys SET retires_at = now() - interval '1 second' WHERE id = $1", [old.id]);
      expect([await works(old.key as string), await works(first.key as string), await works(second.key as string)]).toEqual([false, true, true]);
      expect(refusal(await rotate(old.id as string))).toEqual({ status: 404, code: 'not_found' });
    });

    it('once, when asked for at the same moment', async () => {
      const { id } = await make();
      const answers = await Promise.all(Array.from({ length: 5 }, () => rotate(id as string)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 404, 404, 404, 404]);
    });

    it('not when they have ended', async () => {
      const revoked = await make();
      await call(`DELETE /api-keys/${revoked.id as string}`);
      expect(refusal(await rotate(revoked.id as string))).toEqual({ status: 404, code: 'not_found' });
      const expired = await make({ expiresAt: '2100-01-01T00:00:00Z' });
      await suite.database.pool.query("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1", [expired.id]);
      expect(refusal(await rotate(expired.id as string, { overlapSeconds: 60 }))).toEqual({ status: 404, code: 'not_found' });
    });

    it.each([[-1], [604_801], [1.5], ['60'], [true]])('not with an overlap of %j', async (overlapSeconds) => {
      const { id } = await make();
      expect(refusal(await rotate(id as string, { overlapSeconds }))).toEqual({ status: 422, code: 'validation_failed', fields: ['overlapSeconds'] });
    });
  });

  it('note when they were last used, soon and not on every request', async () => {
    const { id, key } = await make();
    await works(key as string);
    const lastUse = async (): Promise<unknown> => (await call(`GET /api-keys/${id as string}`)).body.lastUsedAt as unknown;
    await eventually(async () => { expect(await lastUse()).toEqual(expect.any(String)); });
    await suite.database.pool.query("UPDATE api_keys SET last_used_at = '2020-01-01' WHERE id = $1", [id]);
    const other = await make();
    await works(key as string);
    await works(other.key as string);
    // What is written together with the other key's use would be there by then.
    await eventually(async () => { expect((await call(`GET /api-keys/${other.id as string}`)).body.lastUsedAt).toEqual(expect.any(String)); });
    expect(await lastUse()).toMatch(/^(2020-01-01|2019-12-31)/);
  });

  it('are taken from either header, and the API-key header alone decides', async () => {
    const { key } = await make();
    const current = (headers: Record<string, string>) => send(`GET ${suite.gatehouse.api}/api-keys/current`, { headers });
    const bearer = `Bearer ${key as string}`;
    expect((await current({ 'x-api-key': key as string })).status).toBe(200);
    expect((await current({ authorization: bearer })).status).toBe(200);
    expect((await current({ authorization: bearer.replace('Bearer', 'bearer') })).status).toBe(200);
    expect((await current({ 'x-api-key': key as string, authorization: `Bearer ${member.token}` })).status).toBe(200);
    for (const empty of ['', ' ', 'null', 'undefined', 'nil', 'NULL', 'Undefined', 'wrong', member.token]) {
      const { status, body, headers } = await send(`GET ${suite.gatehouse.api}/auth/me`, { headers: { 'x-api-key': empty, authorization: `Bearer ${member.token}` } });
      expect({ empty, status, code: body.code }).toEqual({ empty, status: 401, code: 'invalid_api_key' });
      expect(headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
    expect(refusal(await current({ authorization: `Basic ${key as string}` }))).toMatchObject({ status: 401 });
    expect((await send(`GET ${suite.gatehouse.api}/api-keys/current?api_key=${key as string}`)).status).toBe(401);
  });

  it('are listed newest first, page by page, with the revoked ones', async () => {
    const someone = await person(api, boss.token, 'member');
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.unshift((await make({}, someone.token)).id as string);
    await as(someone.token)(`DELETE /api-keys/${ids[2] ?? ''}`);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body }: { body: Json } = await as(someone.token)(`GET /api-keys?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...(body.items as { id: string }[]).map(({ id }) => id));
      cursor = body.nextCursor as string | null;
    }
    expect(seen).toEqual(ids);
  });
});
