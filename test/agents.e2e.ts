import { connect } from 'node:net';
import { Agent, refusedUpgrade } from './support/agent.js';
import { type Api, send } from './support/client.js';
import { owner, person } from './support/people.js';
import { rawRequest } from './support/raw-request.js';
import { startSuite, type Suite } from './support/suite.js';

let suite: Suite;
let api: Api;
let token: string;
let url: string;
const RESOURCE = { type: 'server', id: 'web-1' };

beforeAll(async () => {
  suite = await startSuite();
  api = suite.api;
  token = (await owner(api)).token;
  url = `${api.gatehouse.api}/agents/ws`;
});
afterAll(() => suite.stop());

const keyWith = (scopes: string[], more: object = {}) => api.createKey(token, scopes, more);

describe('an agent', () => {
  it('is let in by its first message, then lives by ping and pong', async () => {
    const { id, key } = await keyWith(['agents:connect'], { resource: RESOURCE });
    const agent = await Agent.open(url);
    expect(await agent.ask({ type: 'auth', api_key: key })).toEqual({
      type: 'auth_success', apiKeyId: id, resource: RESOURCE, message: 'Connected successfully',
    });
    expect(await agent.ask({ type: 'ping' })).toEqual({ type: 'pong' });
    expect(await agent.ask({ type: 'ping', id: 7 })).toEqual({ type: 'pong' });
    expect((await agent.leave()).code).toBe(1005);
  });

  it.each([
    ['X-API-Key', (key: string) => ({ 'x-api-key': key })],
    ['Authorization: Bearer', (key: string) => ({ authorization: `Bearer ${key}` })],
  ])('is let in unasked with %s on the upgrade', async (_, headers) => {
    const { id, key } = await keyWith(['agents:*']);
    const agent = await Agent.open(url, headers(key));
    // Said before the answer has come: answered after it, in order.
    agent.send({ type: 'ping' });
    expect(await agent.next()).toEqual({ type: 'auth_success', apiKeyId: id, resource: null, message: 'Connected successfully' });
    expect(await agent.next()).toEqual({ type: 'pong' });
    await agent.leave();
  });

  it('may say what nobody here knows, once it is in', async () => {
    const agent = await Agent.admitted(url, (await keyWith(['*'])).key);
    for (const message of ['not json', '{"type":"metrics"}', '[]', 'null', '"ping"', Buffer.from('{"type":"ping"}'), { type: 'auth', api_key: 'x' }]) agent.send(message);
    expect(await agent.isIn()).toBe(true);
    await agent.leave();
  });

  it('gets its answers in order, whatever it sends before it is in', async () => {
    const agent = await Agent.open(url);
    agent.send({ type: 'auth', api_key: (await keyWith(['*'])).key });
    for (let count = 0; count < 50; count += 1) agent.send({ type: 'ping' });
    expect((await agent.next()).type).toBe('auth_success');
    for (let count = 0; count < 50; count += 1) expect(await agent.next()).toEqual({ type: 'pong' });
    await agent.leave();
  });

});

describe('a first message', () => {
  it.each<[string, unknown, string]>([
    ['that is no JSON', 'hello', 'The first message must be {"type":"auth","api_key":"..."}'],
    ['of another type', { type: 'ping' }, 'The first message must be {"type":"auth","api_key":"..."}'],
    ['without a key', { type: 'auth' }, 'The first message must be {"type":"auth","api_key":"..."}'],
    ['with a number for a key', { type: 'auth', api_key: 7 }, 'The first message must be {"type":"auth","api_key":"..."}'],
    ['that is an array', [], 'The first message must be {"type":"auth","api_key":"..."}'],
    ['that is null', 'null', 'The first message must be {"type":"auth","api_key":"..."}'],
    ['in binary', Buffer.from('{"type":"auth"}'), 'The first message must be {"type":"auth","api_key":"..."}'],
    ['with a wrong key', { type: 'auth', api_key: 'gh_wrong' }, 'Invalid API key'],
    ['with a placeholder', { type: 'auth', api_key: 'undefined' }, 'Invalid API key'],
    ['with an empty key', { type: 'auth', api_key: '' }, 'Invalid API key'],
  ])('%s closes with 1008', async (_, message, reason) => {
    const agent = await Agent.open(url);
    agent.send(message);
    expect(await agent.closing).toMatchObject({ code: 1008, reason });
  });

  it('that does not come closes with 1008 after ten seconds', async () => {
    const opened = Date.now();
    const agent = await Agent.open(url);
    const { code, reason, at } = await agent.closing;
    expect({ code, reason }).toEqual({ code: 1008, reason: 'No API key within 10 seconds' });
    expect((at - opened) / 1000).toBeCloseTo(10, 0);
  });

  it('that is too large closes with 1009, the largest one does not', async () => {
    const agent = await Agent.open(url);
    agent.send('x'.repeat(64 * 1024 + 1));
    expect((await agent.closing).code).toBe(1009);
    const other = await Agent.admitted(url, (await keyWith(['*'])).key);
    other.send('x'.repeat(64 * 1024));
    expect(await other.isIn()).toBe(true);
    other.send('x'.repeat(64 * 1024 + 1));
    expect((await other.closing).code).toBe(1009);
  });

  it('after a refusal is not heard', async () => {
    const agent = await Agent.open(url);
    agent.send({ type: 'auth', api_key: 'wrong' });
    agent.send({ type: 'auth', api_key: (await keyWith(['*'])).key });
    expect((await agent.closing).code).toBe(1008);
  });
});

describe('a key', () => {
  it('needs the scope agents:connect', async () => {
    const { key } = await keyWith(['servers:read']);
    const agent = await Agent.open(url);
    agent.send({ type: 'auth', api_key: key });
    expect(await agent.closing).toMatchObject({ code: 1008, reason: 'The API key lacks the scope agents:connect' });
    const { status, body, headers } = await refusedUpgrade(url, { 'x-api-key': key });
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'insufficient_scope' });
    expect(headers.get('www-authenticate')).toContain('scope="agents:connect"');
  });

  it('of a member may connect', async () => {
    const member = await person(api, token, 'member');
    const { key } = await api.createKey(member.token, ['agents:connect']);
    await (await Agent.admitted(url, key)).leave();
  });

  it.each<[string, Record<string, string>]>([
    ['a wrong key', { 'x-api-key': 'wrong' }],
    ['an empty key', { 'x-api-key': '' }],
    ['a wrong key beside a good token', { 'x-api-key': 'wrong', authorization: 'Bearer TOKEN' }],
    ['an access token', { authorization: 'Bearer TOKEN' }],
    ['a credential of another kind', { authorization: 'Basic eDp5' }],
  ])('in a header: %s is refused with 401 on the upgrade', async (_, headers) => {
    const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace('TOKEN', token)]));
    const { status, headers: answered, body } = await refusedUpgrade(url, filled);
    expect(status).toBe(401);
    expect(answered.get('content-type')).toContain('application/problem+json');
    expect(answered.get('www-authenticate')).toContain('Bearer');
    expect(body.requestId).toBe(answered.get('x-request-id'));
  });

  it('in the URL is not looked at', async () => {
    const { key } = await keyWith(['*']);
    const agent = await Agent.open(`${url}?api_key=${key as string}&token=${key as string}`);
    agent.send({ type: 'ping' });
    expect((await agent.closing).code).toBe(1008);
    const wrong = await Agent.open(`${url}?api_key=wrong`);
    expect((await wrong.ask({ type: 'auth', api_key: key })).type).toBe('auth_success');
    await wrong.leave();
  });

  it.each([
    ['revoked', 'UPDATE api_keys SET revoked_at = now() WHERE id = $1'],
    ['expired', "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1"],
    ['retired', "UPDATE api_keys SET retires_at = now() - interval '1 second' WHERE id = $1"],
  ])('that has %s says so', async (_, statement) => {
    const { id, key } = await keyWith(['*']);
    await suite.database.pool.query(statement, [id]);
    const agent = await Agent.open(url);
    agent.send({ type: 'auth', api_key: key });
    expect(await agent.closing).toMatchObject({ code: 1008, reason: 'API key is inactive' });
  });
});

describe('an upgrade', () => {
  it('of an unknown path is 404', async () => {
    const { status, body } = await refusedUpgrade(`${api.gatehouse.url}/nowhere`);
    expect({ status, code: body.code }).toEqual({ status: 404, code: 'not_found' });
  });

  it.each<[string, Record<string, string>]>([
    ['is none', {}],
    ['is of a version that nobody speaks', { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '12', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }],
    ['has no key of its own', { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }],
  ])('that %s is told what is spoken here', async (_, headers) => {
    const { status, headers: answered } = await rawRequest(`GET ${url}`, headers);
    expect(status).toBe(426);
    expect(answered.get('upgrade')).toBe('websocket');
    expect(answered.get('sec-websocket-version')).toBe('13');
  });

  it('to another protocol is not done, and the request is answered all the same, its body too', async () => {
    const body = JSON.stringify({ identifier: 'nobody', password: 'x'.repeat(100_000) });
    const { status, body: answer } = await rawRequest(`POST ${api.gatehouse.api}/auth/login`, {
      connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
      'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)),
    }, body);
    expect({ status, code: answer.code }).toEqual({ status: 401, code: 'invalid_credentials' });
    const get = await rawRequest(`GET ${api.gatehouse.url}/health`, { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' });
    expect(get.status).toBe(200);
  });

  it('to a WebSocket with a body is a request like any other', async () => {
    const { status } = await rawRequest(`POST ${api.gatehouse.api}/auth/login`, {
      connection: 'upgrade', upgrade: 'websocket', 'content-type': 'application/json', 'content-length': '2',
    }, '{}');
    expect(status).toBe(422);
  });

  it('whose peer hangs up in the middle harms nobody', async () => {
    const { port } = new URL(url);
    for (let count = 0; count < 20; count += 1) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(`GET ${new URL(url).pathname} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-API-Key: wrong\r\n\r\n`,
        () => { socket.resetAndDestroy(); });
    }
    expect((await send(`GET ${api.gatehouse.url}/health`)).status).toBe(200);
  });
});
