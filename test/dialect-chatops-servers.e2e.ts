import { Agent, refusedUpgrade } from './support/agent.js';
import { type Answer, eventually, type Json, type RequestOptions, send } from './support/client.js';
import { startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'password of mine 1';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const NOBODY = '00000000-0000-4000-8000-000000000000';

let suite: Suite;
let elsewhere: string;
let token: string;
let stranger: string;

function call(target: string, options: RequestOptions = {}, base = suite.gatehouse.url): Promise<Answer<Json>> {
  const [method = '', path = ''] = target.split(' ');
  return send(`${method} ${base}/api/v1${path}`, options);
}

async function register(username: string): Promise<string> {
  const json = { email: `${username}@example.com`, username, password: PASSWORD, password_confirm: PASSWORD };
  return (await call('POST /auth/register', { json })).body.access_token;
}

beforeAll(async () => {
  suite = await startSuite({ DIALECTS: 'chatops' });
  elsewhere = (await suite.startAnother()).gatehouse.url;
  token = await register('ada');
  stranger = await register('eve');
});
afterAll(() => suite.stop());

const at = (target: string, json?: unknown, as = token) => call(target, { token: as, ...(json === undefined ? {} : { json }) });
const newServer = async (more: object = {}): Promise<Json> => (await at('POST /servers', { name: 'web-1', ...more })).body;
const newKey = async (server_id: string, more: object = {}): Promise<Json> => (await at('POST /api-keys', { server_id, ...more })).body;
const me = (key: string) => call('GET /api-keys/me', { apiKey: key });
const socketOf = (base = suite.gatehouse.url) => `${base}/api/v1/agents/ws`;
const statusOf = async (id: string, base = suite.gatehouse.url) => (await call(`GET /servers/${id}`, { token }, base)).body.status;

const SERVER = {
  id: expect.stringMatching(UUID), name: 'web-1', host: null, port: null, metadata: {}, status: 'offline', health_status: 'unknown',
  last_seen: null, created_at: expect.stringMatching(TIME), updated_at: expect.stringMatching(TIME),
};
const NO_SERVER = { status: 404, body: { detail: 'Server not found' } };
const NO_KEY = { status: 404, body: { detail: 'API key not found' } };
const picked = ({ status, body }: Answer<Json>) => ({ status, body });

describe('servers', () => {
  it('are made, listed, read, changed and deleted', async () => {
    const full = { name: 'web-1', host: '192.0.2.1', port: 22, metadata: { os: 'debian', tags: ['a', { b: null }] } };
    const { status, body: server } = await at('POST /servers', full);
    expect({ status, body: server }).toEqual({ status: 201, body: { ...SERVER, ...full } });
    expect(picked(await at(`GET /servers/${server.id as string}`))).toEqual({ status: 200, body: server });
    const other = await newServer();
    expect(other).toEqual(SERVER);
    expect((await at('GET /servers')).body).toEqual([other, server]);
    const changed = await at(`PUT /servers/${server.id as string}`, { name: 'db-1', host: null, metadata: null });
    expect(picked(changed)).toEqual({ status: 200, body: { ...server, name: 'db-1', host: null, metadata: {}, updated_at: expect.stringMatching(TIME) } });
    expect(picked(await at(`DELETE /servers/${server.id as string}`))).toEqual({ status: 204, body: '' });
    expect(picked(await at(`GET /servers/${server.id as string}`))).toEqual(NO_SERVER);
    expect((await at('GET /servers')).body).toEqual([other]);
  });

  it('are nobody else’s, an owner’s neither', async () => {
    const { id } = await newServer();
    const boss = (await suite.api.login('owner', 'plenty of words 42')).accessToken;
    for (const as of [stranger, boss]) {
      expect(picked(await at(`GET /servers/${id as string}`, undefined, as))).toEqual(NO_SERVER);
      expect(picked(await at(`PUT /servers/${id as string}`, { name: 'mine' }, as))).toEqual(NO_SERVER);
      expect(picked(await at(`DELETE /servers/${id as string}`, undefined, as))).toEqual(NO_SERVER);
      expect(picked(await at('POST /api-keys', { server_id: id }, as))).toEqual(NO_SERVER);
      expect(picked(await at(`GET /api-keys/server/${id as string}`, undefined, as))).toEqual(NO_SERVER);
      expect((await at('GET /servers', undefined, as)).body).toEqual([]);
    }
    expect((await at(`GET /servers/${id as string}`)).body.name).toBe('web-1');
    expect(picked(await at(`GET /servers/${NOBODY}`))).toEqual(NO_SERVER);
  });

  it.each<[object, string[], string]>([
    [{ name: undefined }, ['body', 'name'], 'missing'],
    [{ name: null }, ['body', 'name'], 'string_type'],
    [{ name: ' ' }, ['body', 'name'], 'string_too_short'],
    [{ name: 'x'.repeat(201) }, ['body', 'name'], 'string_too_long'],
    [{ name: 'a\u0000b' }, ['body', 'name'], 'value_error'],
    [{ host: 7 }, ['body', 'host'], 'string_type'],
    [{ host: 'x'.repeat(256) }, ['body', 'host'], 'string_too_long'],
    [{ port: 'ssh' }, ['body', 'port'], 'int_type'],
    [{ port: 22.5 }, ['body', 'port'], 'int_type'],
    [{ port: 0 }, ['body', 'port'], 'value_error'],
    [{ port: 65536 }, ['body', 'port'], 'value_error'],
    [{ metadata: [] }, ['body', 'metadata'], 'dict_type'],
    [{ metadata: 'x' }, ['body', 'metadata'], 'dict_type'],
    [{ metadata: { a: 'x\u0000' } }, ['body', 'metadata'], 'value_error'],
    [{ metadata: { 'a\u0000': 1 } }, ['body', 'metadata'], 'value_error'],
    [{ metadata: { a: ['\ud800'] } }, ['body', 'metadata'], 'value_error'],
    [{ metadata: { a: 'x'.repeat(65536) } }, ['body', 'metadata'], 'value_error'],
  ])('with %j are refused', async (more, loc, type) => {
    const made = await at('POST /servers', { name: 'web-1', ...more });
    expect({ status: made.status, body: made.body }).toEqual({ status: 422, body: { detail: [{ loc, msg: expect.any(String), type }] } });
    if (type !== 'missing') expect((await at(`PUT /servers/${(await newServer()).id as string}`, more)).status).toBe(422);
  });

  it('with metadata nested without end are refused', async () => {
    const raw = `{"name":"x","metadata":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`;
    const { status } = await call('POST /servers', { token, raw, headers: { 'content-type': 'application/json' } });
    expect(status).toBe(422);
  });

  it('have ids that are UUIDs', async () => {
    const { status, body } = await at('GET /servers/7');
    expect({ status, body }).toEqual({ status: 422, body: { detail: [{ loc: ['path', 'server_id'], msg: 'Input should be a valid UUID', type: 'uuid_parsing' }] } });
    expect((await at('POST /api-keys', { server_id: 'x' })).body.detail[0].loc).toEqual(['body', 'server_id']);
    expect((await at('POST /api-keys/x/deactivate')).body.detail[0].loc).toEqual(['path', 'key_id']);
  });
});

describe('API keys', () => {
  it('are shown once, and listed without themselves', async () => {
    const { id: server_id } = await newServer();
    const expires_at = '2999-01-01T00:00:00.000Z';
    const { status, body: { key, ...rest } } = await at('POST /api-keys', { server_id, name: 'agent', expires_at });
    expect(status).toBe(201);
    expect(key).toMatch(/^gh_\w{49}$/);
    expect(rest).toEqual({ id: expect.stringMatching(UUID), server_id, name: 'agent', is_active: true, last_used: null, expires_at, created_at: expect.stringMatching(TIME) });
    expect((await at(`GET /api-keys/server/${server_id as string}`)).body).toEqual([rest]);
    expect(picked(await me(key))).toEqual({ status: 200, body: { server_id, key_id: rest.id, name: 'agent', is_active: true } });
    expect((await suite.api.call(`GET /api-keys/${rest.id as string}`, { token })).body).toMatchObject({ scopes: ['agents:connect'], resource: { type: 'server', id: server_id } });
  });

  it('are deactivated, or deleted', async () => {
    const { id: server_id } = await newServer();
    const [kept, deactivated, deleted] = [await newKey(server_id), await newKey(server_id), await newKey(server_id)];
    for (let twice = 0; twice < 2; twice += 1) {
      const { status, body } = await at(`POST /api-keys/${deactivated.id as string}/deactivate`);
      expect({ status, id: body.id, is_active: body.is_active }).toEqual({ status: 200, id: deactivated.id, is_active: false });
    }
    expect(picked(await at(`DELETE /api-keys/${deleted.id as string}`))).toEqual({ status: 204, body: '' });
    expect(picked(await me(deactivated.key))).toEqual({ status: 401, body: { detail: 'API key is inactive' } });
    expect(picked(await me(deleted.key))).toEqual({ status: 401, body: { detail: 'Invalid API key' } });
    const list = async (query = '') => (await at(`GET /api-keys/server/${server_id as string}${query}`)).body.map(({ id }: Json) => id);
    expect(await list()).toEqual([deactivated.id, kept.id]);
    expect(await list('?active_only=false')).toEqual([deactivated.id, kept.id]);
    expect(await list('?active_only=true')).toEqual([kept.id]);
    expect((await at(`GET /api-keys/server/${server_id as string}?active_only=7`)).body.detail[0].loc).toEqual(['query', 'active_only']);
    for (const target of [`DELETE /api-keys/${deleted.id as string}`, `POST /api-keys/${deleted.id as string}/deactivate`]) expect(picked(await at(target))).toEqual(NO_KEY);
  });

  it('expire', async () => {
    const { id, key } = await newKey((await newServer()).id);
    await suite.database.pool.query('UPDATE api_keys SET expires_at = now() WHERE id = $1', [id]);
    expect(picked(await me(key))).toEqual({ status: 401, body: { detail: 'API key is inactive' } });
  });

  it('are nobody else’s, an owner’s neither', async () => {
    const key = await newKey((await newServer()).id);
    const boss = (await suite.api.login('owner', 'plenty of words 42')).accessToken;
    for (const as of [stranger, boss]) {
      expect(picked(await at(`DELETE /api-keys/${key.id as string}`, undefined, as))).toEqual(NO_KEY);
      expect(picked(await at(`POST /api-keys/${key.id as string}/deactivate`, undefined, as))).toEqual(NO_KEY);
    }
    expect((await me(key.key)).status).toBe(200);
  });

  it.each<[object, string, string]>([
    [{ name: 7 }, 'name', 'string_type'],
    [{ name: '' }, 'name', 'string_too_short'],
    [{ expires_at: 'tomorrow' }, 'expires_at', 'datetime_from_date_parsing'],
    [{ expires_at: '2999-02-29' }, 'expires_at', 'datetime_from_date_parsing'],
    [{ expires_at: 1893456000 }, 'expires_at', 'string_type'],
    [{ expires_at: '2001-01-01T00:00:00Z' }, 'expires_at', 'datetime_future'],
    [{ server_id: null }, 'server_id', 'uuid_parsing'],
  ])('with %j are refused', async (more, field, type) => {
    const { status, body } = await at('POST /api-keys', { server_id: (await newServer()).id, ...more });
    expect({ status, body }).toEqual({ status: 422, body: { detail: [{ loc: ['body', field], msg: expect.any(String), type }] } });
  });

  it.each(['2999-01-01T00:00:00', '2999-01-01T00:00', '2999-01-01', '2999-01-01 00:00:00', '2999-01-01T02:00:00+02:00'])('take %s for midnight UTC', async (expires_at) => {
    expect((await newKey((await newServer()).id, { expires_at })).expires_at).toBe('2999-01-01T00:00:00.000Z');
  });

  it('that are missing or wrong are told apart', async () => {
    expect(picked(await call('GET /api-keys/me'))).toEqual({ status: 401, body: { detail: 'API key required' } });
    expect(picked(await call('GET /api-keys/me', { token }))).toEqual({ status: 401, body: { detail: 'API key required' } });
    for (const key of ['wrong', 'null', '']) expect(picked(await me(key))).toEqual({ status: 401, body: { detail: 'Invalid API key' } });
    // A key that is good, but no server's.
    expect(picked(await me((await suite.api.createKey(token, ['agents:connect'])).key))).toEqual({ status: 401, body: { detail: 'Invalid API key' } });
  });

  it('go with their server, in one go, however many are being made', async () => {
    const { id } = await newServer();
    const first = await newKey(id);
    const results = await Promise.all([
      ...Array.from({ length: 10 }, () => at('POST /api-keys', { server_id: id })),
      at(`DELETE /servers/${id as string}`),
      ...Array.from({ length: 10 }, () => at('POST /api-keys', { server_id: id })),
    ]);
    const made = results.filter(({ status }) => status === 201);
    expect(results.every(({ status }) => [201, 204, 404].includes(status))).toBe(true);
    for (const { body } of [...made, { body: first }]) expect(picked(await me(body.key))).toEqual({ status: 401, body: { detail: 'Invalid API key' } });
    expect((await suite.database.pool.query('SELECT FROM api_keys WHERE resource_id = $1', [id])).rowCount).toBe(0);
  });
});

describe('agents', () => {
  it('make their server online, wherever they are connected and whoever asks', async () => {
    const { id } = await newServer();
    const { key } = await newKey(id);
    const agent = await Agent.open(socketOf(elsewhere));
    expect(await agent.ask({ type: 'auth', api_key: key })).toEqual({ type: 'auth_success', server_id: id, message: 'Connected successfully' });
    expect(await agent.ask({ type: 'ping' })).toEqual({ type: 'pong' });
    expect([await statusOf(id), await statusOf(id, elsewhere)]).toEqual(['online', 'online']);
    expect((await at('GET /servers')).body.find((server: Json) => server.id === id)).toMatchObject({ status: 'online', last_seen: expect.stringMatching(TIME) });
    const second = await Agent.admitted(socketOf(), key);
    await agent.leave();
    await eventually(async () => { expect((await suite.database.pool.query('SELECT FROM agent_connections')).rowCount).toBe(1); });
    expect(await statusOf(id)).toBe('online');
    await second.leave();
    await eventually(async () => { expect(await statusOf(id)).toBe('offline'); });
  });

  it('of an instance that was killed do not count for long', async () => {
    const third = await suite.startAnother();
    const { id } = await newServer();
    await Agent.admitted(socketOf(third.gatehouse.url), (await newKey(id)).key);
    expect(await statusOf(id)).toBe('online');
    await third.gatehouse.stop('SIGKILL');
    await suite.database.pool.query("UPDATE agent_instances SET seen_at = seen_at - interval '16 seconds'");
    expect(await statusOf(id)).toBe('offline');
  });

  it.each<[string, (server: string, key: string) => string]>([
    ['their key is deactivated', (_, key) => `POST /api-keys/${key}/deactivate`],
    ['their key is deleted', (_, key) => `DELETE /api-keys/${key}`],
    ['their server is deleted', (server) => `DELETE /servers/${server}`],
  ])('are sent away from every instance within a second when %s', async (_, target) => {
    const { id } = await newServer();
    const key = await newKey(id);
    const agents = await Promise.all([socketOf(), socketOf(elsewhere)].map((url) => Agent.admitted(url, key.key)));
    await at(target(id, key.id));
    const ended = Date.now();
    for (const { code, at: closed } of await Promise.all(agents.map((agent) => agent.closing))) {
      expect(code).toBe(1008);
      expect(closed - ended).toBeLessThan(1_000);
    }
    const back = await Agent.open(socketOf());
    back.send({ type: 'auth', api_key: key.key });
    expect((await back.closing).code).toBe(1008);
  });

  it('with a key of no server, or bound to somebody else’s, are refused', async () => {
    const { id } = await newServer();
    const bound = async (as: string, resource?: object) => (await suite.api.createKey(as, ['agents:connect'], resource === undefined ? {} : { resource })).key;
    for (const key of [await bound(token), await bound(stranger, { type: 'server', id }), await bound(token, { type: 'server', id: 'x' }), await bound(token, { type: 'room', id })]) {
      const agent = await Agent.open(socketOf());
      agent.send({ type: 'auth', api_key: key });
      expect(await agent.closing).toMatchObject({ code: 1008, reason: 'API key is not bound to a server' });
      expect(picked(await refusedUpgrade(socketOf(), { 'x-api-key': key }))).toEqual({ status: 401, body: { detail: 'Invalid API key' } });
    }
    // Nor does a stranger's key make the server look alive through the native route.
    const agent = await Agent.admitted(`${suite.api.gatehouse.api}/agents/ws`, await bound(stranger, { type: 'server', id }));
    expect(await statusOf(id)).toBe('offline');
    expect((await at(`GET /servers/${id as string}`)).body.last_seen).toBeNull();
    await agent.leave();
  });

  it.each<[unknown]>([['hello'], [{ type: 'ping' }], [{ type: 'auth' }], [{ type: 'auth', api_key: 'wrong' }]])('that begin with %j are closed with 1008', async (message) => {
    const agent = await Agent.open(socketOf());
    agent.send(message);
    expect(await agent.closing).toMatchObject({ code: 1008, reason: expect.stringMatching(/./) });
  });
});
