import { type Api, eventually, type Json } from './support/client.js';
import { owner, PASSWORD, type Person, person, refusal, signIn } from './support/people.js';
import { startSuite, type Suite } from './support/suite.js';

/** What the native API does not bring about: it happens at start, through a dialect, or on the command line. */
const ELSEWHERE = /^(bootstrap\..*|setup\.completed|owner\..*|api_key\.(deleted|imported)|(users|api_keys)\.(imported|exported))$/;

describe('the audit log', () => {
  let suite: Suite;
  let api: Api;
  let boss: Person;
  let admin: Person;
  let ada: Person;
  let apiKey: string;
  const secrets: string[] = [PASSWORD, 'another set of words 7', 'yet another set of words 8', 'a wrong guess 123'];
  const list = async (query = '', by: object = { token: boss.token }): Promise<Json[]> => {
    const { status, body } = await api.call(`GET /audit-events${query}`, by);
    expect(status).toBe(200);
    return body.items as Json[];
  };
  const actionsOf = async (query: string): Promise<string[]> => (await list(query)).map(({ action }) => action as string);

  beforeAll(async () => {
    suite = await startSuite({ REGISTRATION: 'open' });
    api = suite.api;
    boss = await owner(api);
    admin = await person(api, boss.token, 'admin');
    await journey();
  });
  afterAll(() => suite.stop());

  /** Does everything once. */
  async function journey(): Promise<void> {
    const registered = await api.call('POST /auth/register', { json: { email: 'reg@example.com', password: PASSWORD } });
    secrets.push(registered.body.accessToken as string, registered.body.refreshToken as string);
    ada = await person(api, boss.token, 'member');
    const administer = (target: string, json?: object) =>
      api.call(target.replace(':id', ada.id), {
        token: admin.token, headers: { 'user-agent': 'audit-suite/1', 'x-request-id': 'journey-12345' }, ...(json ? { json } : {}),
      });
    await administer('PATCH /users/:id', { name: 'Ada', role: 'member' });
    for (let i = 0; i < 5; i += 1) await api.call('POST /auth/login', { json: { email: ada.email, password: 'a wrong guess 123' } });
    await api.call('POST /auth/login', { json: { email: 'nobody@example.com', password: 'a wrong guess 123' } });
    await administer('POST /users/:id/unlock');
    await administer('POST /users/:id/password', { password: 'another set of words 7' });
    const first = await signIn(api, ada.email, 'another set of words 7');
    const second = await signIn(api, ada.email, 'another set of words 7');
    await api.call('POST /auth/me/password', { token: first.token, json: { currentPassword: 'a wrong guess 123', newPassword: 'x' } });
    await api.call('POST /auth/me/password', { token: first.token, json: { currentPassword: 'another set of words 7', newPassword: 'yet another set of words 8' } });
    await reuse(first.refreshToken);
    ada = await signIn(api, ada.email, 'yet another set of words 8');
    await api.call('DELETE /auth/sessions', { token: ada.token });
    const key = await api.createKey(ada.token, ['servers:read']);
    await api.call(`PATCH /api-keys/${key.id as string}`, { token: ada.token, json: { name: 'b' } });
    const rotated = await api.call(`POST /api-keys/${key.id as string}/rotate`, { token: ada.token, json: {} });
    await api.call(`DELETE /api-keys/${rotated.body.id as string}`, { token: ada.token });
    await api.call('POST /auth/logout', { token: ada.token });
    await administer('DELETE /users/:id/sessions');
    await administer('PATCH /users/:id', { disabled: true });
    await administer('PATCH /users/:id', { disabled: false });
    await administer('DELETE /users/:id');
    apiKey = (await api.createKey(admin.token, ['audit:read'])).key as string;
    secrets.push(key.key as string, rotated.body.key as string, apiKey, first.token, first.refreshToken, second.token, ada.token, ada.refreshToken);
  }

  /** Spends a refresh token twice, the second time too late. */
  async function reuse(refreshToken: string): Promise<void> {
    const { body } = await api.call('POST /auth/refresh', { json: { refreshToken } });
    await api.call('POST /auth/refresh', { json: { refreshToken: body.refreshToken } });
    expect((await api.call('POST /auth/refresh', { json: { refreshToken } })).status).toBe(401);
  }

  it('tells of everything that can happen', async () => {
    const { body } = await api.call('GET /../../openapi.json');
    const all = (body.components.schemas.AuditEventBody.properties.action.enum as string[]).filter((action) => !ELSEWHERE.test(action));
    const told = new Set((await list('?limit=200')).map(({ action }) => action as string));
    expect(all.filter((action) => !told.has(action))).toEqual([]);
    expect(told.has('bootstrap.owner_created')).toBe(true);
  });

  it('tells who did what to whom, from where', async () => {
    const about = { actor: { type: 'user', id: admin.id }, subject: { type: 'user', id: ada.id }, outcome: 'success' };
    const where = { ipAddress: '127.0.0.1', userAgent: 'audit-suite/1', requestId: 'journey-12345' };
    for (const action of ['user.updated', 'account.unlocked', 'password.set', 'sessions.ended', 'user.disabled', 'user.enabled', 'user.deleted']) {
      const [event] = await list(`?action=${action}&userId=${ada.id}`);
      expect(event).toMatchObject({ action, ...about, ...where });
    }
    expect((await list('?action=user.updated'))[0]?.detail).toEqual({ fields: ['name', 'role'], role: 'member' });
    const [created] = await list('?action=api_key.created');
    expect(created).toMatchObject({ actor: { type: 'user', id: admin.id }, subject: { type: 'api-key' }, detail: { scopes: ['audit:read'] } });
    const [lost] = await list('?action=login.failed');
    expect(lost).toMatchObject({ outcome: 'failure', actor: null, subject: null, detail: { reason: 'unknown_account' } });
    const [locked] = await list('?action=account.locked');
    expect(locked).toMatchObject({ outcome: 'failure', subject: { type: 'user', id: ada.id } });
  });

  it('names the key, when a key did it', async () => {
    const writer = await api.createKey(admin.token, ['users:write']);
    const member = await person(api, boss.token, 'member');
    await api.call(`POST /users/${member.id}/unlock`, { apiKey: writer.key as string });
    expect((await list('?action=account.unlocked'))[0]).toMatchObject({ actor: { type: 'api-key', id: writer.id } });
  });

  it('never holds a secret', async () => {
    const { rows } = await suite.database.pool.query<{ row: string }>('SELECT e::text AS row FROM audit_events e');
    const log = rows.map(({ row }) => row).join('\n');
    expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
    expect(log).not.toMatch(/\$2b\$|nobody@example/);
  });

  it('tells nothing of what was refused or changed nothing', async () => {
    const count = async () => (await suite.database.pool.query<{ n: string }>('SELECT count(*) AS n FROM audit_events')).rows[0]?.n;
    const before = await count();
    await api.call(`DELETE /users/${boss.id}`, { token: boss.token });
    await api.call(`PATCH /users/${boss.id}`, { token: boss.token, json: { role: 'member' } });
    await api.call(`PATCH /users/${boss.id}`, { token: boss.token, json: {} });
    await api.call(`PATCH /users/${boss.id}`, { token: boss.token, json: { disabled: false } });
    await api.call(`PATCH /users/${boss.id}`, { token: admin.token, json: { name: 'x' } });
    expect(await count()).toBe(before);
  });

  describe('is narrowed', () => {
    it('to a user: what the user did and what was done to the user', async () => {
      const events = await list(`?userId=${ada.id}&limit=200`);
      expect(events.length).toBeGreaterThan(10);
      for (const { actor, subject } of events) expect([actor?.id, subject?.id]).toContain(ada.id);
      expect(events.map(({ action }) => action as string)).toEqual(expect.arrayContaining(['user.created', 'api_key.rotated', 'session.ended']));
    });

    it('to a time, whose end is not part of it', async () => {
      const [newest, older] = await list();
      const at = newest?.at as string;
      const later = new Date(Date.parse(at) + 1).toISOString();
      expect((await list(`?from=${at}`)).map(({ id }) => id as string)).toContain(newest?.id);
      expect((await list(`?to=${at}`)).map(({ id }) => id as string)).not.toContain(newest?.id);
      expect((await list(`?from=${at}&to=${later}`)).map(({ id }) => id as string)).toContain(newest?.id);
      expect(await list(`?from=${later}`)).toEqual([]);
      expect(await list(`?from=${encodeURIComponent(later.replace('Z', '+00:00'))}`)).toEqual([]);
      expect(older).toBeDefined();
      expect((await list('?from=2020-01-01&to=2020-01-02'))).toEqual([]);
    });

    it.each([
      ['userId=1', 'userId'], ['action=nothing', 'action'], ['from=yesterday', 'from'], ['from=5', 'from'], ['to=-271821-04-20T00:00:00.000Z', 'to'],
      ['to=%2B275760-09-13T00:00:00.000Z', 'to'], ['from=2026-13-45', 'from'], ['from=2026-02-30', 'from'], ['to=2026-02-29T00:00:00Z', 'to'], ['from=2026-01-01&from=2026-01-02', 'from'], ['action=login.failed&action=login.failed', 'action'],
      ['actor=x', 'actor'], ['limit=0', 'limit'], ['cursor=x', 'cursor'], ['action=%00', 'action'],
    ])('but not by %s', async (query, field) => {
      expect(refusal(await api.call(`GET /audit-events?${query}`, { token: boss.token }))).toEqual({ status: 422, code: 'validation_failed', fields: [field] });
    });
  });

  it('is read page by page, newest first, without loss or repetition', async () => {
    const whole = (await list('?limit=200')).map(({ id }) => id as string);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body }: { body: Json } = await api.call(`GET /audit-events?limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`, { token: boss.token });
      seen.push(...(body.items as { id: string }[]).map(({ id }) => id));
      cursor = body.nextCursor as string | null;
    }
    expect(seen).toEqual(whole);
    expect([...seen].sort().reverse()).toEqual(seen);
  });

  it('is for administrators, and for keys with the scope', async () => {
    const member = await person(api, boss.token, 'member');
    const other = (await api.createKey(admin.token, ['users:*'])).key as string;
    expect(await actionsOf('?limit=1')).toHaveLength(1);
    expect(await list('?limit=1', { token: admin.token })).toHaveLength(1);
    expect(await list('?limit=1', { apiKey })).toHaveLength(1);
    expect(refusal(await api.call('GET /audit-events', { token: member.token }))).toEqual({ status: 403, code: 'insufficient_role' });
    expect(refusal(await api.call('GET /audit-events', { apiKey: other }))).toEqual({ status: 403, code: 'insufficient_scope' });
    await api.call(`PATCH /users/${admin.id}`, { token: boss.token, json: { role: 'member' } });
    await eventually(async () => { expect(refusal(await api.call('GET /audit-events', { apiKey }))).toEqual({ status: 403, code: 'insufficient_scope' }); }, 0);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('cannot be changed by %s', async (method) => {
    const [event] = await list('?limit=1');
    for (const path of ['/audit-events', `/audit-events/${event?.id as string}`]) {
      expect((await api.call(`${method} ${path}`, { token: boss.token, json: {} })).status).toBe(404);
    }
  });
});
