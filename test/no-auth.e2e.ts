import { networkInterfaces } from 'node:os';
import { Api, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { rawRequest } from './support/raw-request.js';
import { WITH_OWNER } from './support/suite.js';

const NIL = '00000000-0000-0000-0000-000000000000';
const PASSWORD = 'three random words 42';
const here = Object.values(networkInterfaces()).flat().find((one) => one?.family === 'IPv4' && !one.internal)?.address;

let database: TestDatabase;
let gatehouse: Gatehouse;
let api: Api;

async function start(env: Record<string, string>): Promise<void> {
  database = await createDatabase();
  gatehouse = await startGatehouse({ env: { DATABASE_URL: database.url, AUTH_DISABLED: 'true', ...env } });
  api = new Api(gatehouse);
}

async function stop(): Promise<void> {
  await gatehouse.stop();
  await database.drop();
}

describe('without authentication', () => {
  beforeAll(() => start(WITH_OWNER));
  afterAll(stop);

  it('says so in the banner, in /health and where clients look', async () => {
    expect(gatehouse.output()).toContain('WARNING: authentication is switched off. Whoever is on this machine is its owner.');
    expect((await send(`GET ${gatehouse.url}/health`)).body.warnings).toEqual([expect.stringContaining('Authentication is switched off')]);
    expect((await api.call('GET /config')).body).toMatchObject({ authMode: 'disabled' });
    expect((await api.call('GET /auth/status')).body).toEqual({ setupComplete: true, authenticationEnabled: false, mode: 'disabled' });
  });

  it('takes every request for the owner’s, whatever credential comes along', async () => {
    for (const credential of [{}, { token: 'nonsense' }, { apiKey: 'nonsense' }, { headers: { authorization: 'Basic eDp5' } }]) {
      expect((await api.call('GET /auth/me', credential)).body).toMatchObject({ username: 'owner', role: 'owner' });
    }
    for (const route of ['GET /users', 'GET /audit-events', 'GET /api-keys', 'GET /auth/sessions']) {
      expect((await api.call(route)).status).toBe(200);
    }
    expect((await api.call('POST /users', { json: { username: 'new', password: PASSWORD } })).status).toBe(201);
    const { key } = (await api.call('POST /api-keys', { json: { name: 'k', scopes: ['*'] } })).body as { key: string };
    expect(key).toMatch(/^gh_/);
    expect((await api.call('POST /auth/logout')).status).toBe(204);
    // There are keys, but none was presented: no key is the current one.
    expect((await api.call('GET /api-keys/current')).status).toBe(401);
    expect((await api.call('GET /api-keys/current', { apiKey: `${key}x` })).status).toBe(401);
    expect(await api.call('GET /api-keys/current', { apiKey: key })).toMatchObject({ status: 200, body: { name: 'k' } });
  });

  it.each<[string, Record<string, string>]>([
    ['a proxy says for whom it asks', { 'X-Forwarded-For': '127.0.0.1' }],
    ['a proxy says which scheme it was', { 'X-Forwarded-Proto': 'http' }],
    ['a proxy uses the standard header', { Forwarded: 'for=127.0.0.1' }],
    ['a proxy uses nginx’s header', { 'X-Real-IP': '127.0.0.1' }],
    ['a page elsewhere points its own name here', { Host: 'evil.example' }],
    ['its name only begins like a loopback address', { Host: '127.0.0.1.evil.example' }],
    ['it has a loopback name in front of it', { Host: 'localhost@evil.example' }],
  ])('refuses when %s', async (_, headers) => {
    const { status, body } = await rawRequest(`GET ${gatehouse.api}/auth/me`, headers);
    expect([status, body.code]).toEqual([403, 'local_only']);
  });

  it.each(['localhost', 'LOCALHOST:99', '127.0.0.1', '127.8.9.1:3000', '[::1]:3000'])('answers to the name %s', async (host) => {
    expect((await rawRequest(`GET ${gatehouse.api}/auth/me`, { Host: host })).status).toBe(200);
  });
});

describe('without authentication and without an owner', () => {
  beforeAll(() => start({}));
  afterAll(stop);

  it('somebody anonymous is the owner, and no claim is open', async () => {
    expect(gatehouse.claimToken).toBeNull();
    expect((await api.call('GET /auth/me')).body).toMatchObject({ id: NIL, username: 'anonymous', role: 'owner', email: null });
  });

  it.each<[string, unknown]>([
    ['POST /api-keys', { name: 'k', scopes: ['*'] }],
    ['GET /api-keys/current', undefined],
    [`POST /api-keys/${NIL}/rotate`, {}],
    ['PATCH /auth/me', { name: 'x' }],
    ['POST /auth/me/password', { currentPassword: 'x', newPassword: PASSWORD }],
    [`DELETE /auth/sessions/${NIL}`, undefined],
    [`PATCH /users/${NIL}`, { name: 'x' }],
    [`POST /users/${NIL}/password`, { password: PASSWORD }],
    [`DELETE /users/${NIL}`, undefined],
  ])('%s has no account to work on and says so', async (route, json) => {
    const { status, body } = await api.call(route, json === undefined ? {} : { json });
    expect([status, body.code]).not.toContain('internal');
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it.each(['GET /auth/sessions', 'GET /api-keys', 'GET /users', 'GET /audit-events', 'DELETE /auth/sessions', 'POST /auth/logout'])('%s works', async (route) => {
    expect((await api.call(route)).status).toBeLessThan(300);
  });

  it('an account that is made then is the owner from there on', async () => {
    await api.createUser('', { username: 'boss', password: PASSWORD, role: 'owner' });
    expect((await api.call('GET /auth/me')).body).toMatchObject({ username: 'boss' });
  });
});

(here === undefined ? describe.skip : describe)('without authentication, from another address', () => {
  const reach = () => `http://${here ?? ''}:${new URL(gatehouse.url).port}${new URL(gatehouse.api).pathname}`;
  afterEach(stop);

  it('is refused', async () => {
    await start({ HOST: '0.0.0.0' });
    const { status, body } = await rawRequest(`GET ${reach()}/auth/me`, { Host: 'localhost' });
    expect([status, body.code]).toEqual([403, 'local_only']);
  });

  it('is let in with AUTH_DISABLED_REMOTE, with a louder warning', async () => {
    await start({ HOST: '0.0.0.0', AUTH_DISABLED_REMOTE: 'true' });
    expect(gatehouse.output()).toContain('ANYBODY WHO CAN REACH THIS SERVER is its owner');
    expect((await rawRequest(`GET ${reach()}/auth/me`, { 'X-Forwarded-For': '192.0.2.1' })).status).toBe(200);
  });
});
