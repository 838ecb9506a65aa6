import { send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, runGatehouse, startGatehouse } from './support/gatehouse.js';
import { decodeJwt } from './support/jwt.js';

const SECRET = 'kX3vB7nM1qW5eR9tY2uI6oP0aS4dF8gH3jK7lZ1xC5vB9nM2';
const OTHER_SECRET = 'mN8bV4cX0zL6kJ2hG8fD4sA0pO6iU2yT8rE4wQ0mN6bV2cX8';
const OWNER = { email: 'owner@example.com', password: 'plenty of words 42' };
const LOOPBACK = { DIALECTS: 'mosbot', JWT_SECRET: SECRET };
const BOOTSTRAP = { BOOTSTRAP_OWNER_EMAIL: OWNER.email, BOOTSTRAP_OWNER_PASSWORD: OWNER.password };

/** What the product's own document says, with the variables that it names. */
describe('the document of MosBot OS', () => {
  const databases: TestDatabase[] = [];
  const servers: Gatehouse[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await Promise.all(databases.splice(0).map((database) => database.drop()));
  });

  const fresh = async (kind: 'migrated' | 'empty' = 'migrated'): Promise<string> => {
    const database = await createDatabase(kind);
    databases.push(database);
    return database.url;
  };
  const start = async (databaseUrl: string, env: Record<string, string> = {}): Promise<Gatehouse> => {
    const server = await startGatehouse({ env: { ...LOOPBACK, DATABASE_URL: databaseUrl, ...env } });
    servers.push(server);
    return server;
  };
  const stop = (server: Gatehouse) => servers.splice(servers.indexOf(server), 1)[0]!.stop();
  const login = (server: Gatehouse, password = OWNER.password) =>
    send(`POST ${server.url}/api/v1/auth/login`, { json: { email: OWNER.email, password } });

  it('first run, login, and a token on every request', async () => {
    const server = await start(await fresh('empty'), { ...BOOTSTRAP, REGISTRATION: 'open' });
    // The endpoints that the document calls public.
    expect((await send(`GET ${server.url}/health`)).status).toBe(200);
    expect((await send(`GET ${server.url}/api/v1/config`)).body.data.timezone).toBe('UTC');
    const register = { name: 'Ada', email: 'ada@example.com', password: 'three random words 42' };
    expect((await send(`POST ${server.url}/api/v1/auth/register`, { json: register })).status).toBe(201);

    const { token, user } = (await login(server)).body;
    expect(user).toMatchObject({ email: OWNER.email, role: 'owner', name: 'Owner' });
    const { claims } = decodeJwt(token);
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(7 * 24 * 60 * 60);
    const me = await fetch(`${server.url}/api/v1/auth/me`, { headers: { Authorization: `Bearer ${String(token)}` } });
    expect(await me.json()).toEqual({ data: user });

    // A token of the dialect is the native API's too, and is over for both at once.
    expect((await send(`GET ${server.url}/native/v1/auth/me`, { token })).body.email).toBe(OWNER.email);
    await send(`POST ${server.url}/native/v1/auth/logout`, { token });
    expect((await send(`GET ${server.url}/api/v1/auth/me`, { token })).status).toBe(401);
  });

  it('the owner is made once, never changed later, and the password is to be removed', async () => {
    const database = await fresh();
    const first = await start(database, { ...BOOTSTRAP, BOOTSTRAP_OWNER_NAME: 'Grace' });
    expect(first.output()).not.toMatch(/remove it from the environment/);
    expect((await login(first)).body.user.name).toBe('Grace');
    await stop(first);
    const changed = { ...BOOTSTRAP, BOOTSTRAP_OWNER_PASSWORD: 'another plenty of words', BOOTSTRAP_OWNER_NAME: 'Other' };
    const second = await start(database, changed);
    expect(second.output()).toMatch(/BOOTSTRAP_OWNER_PASSWORD is still set.*remove it from the environment/);
    expect((await login(second, changed.BOOTSTRAP_OWNER_PASSWORD)).status).toBe(401);
    expect((await login(second)).body.user.name).toBe('Grace');
    await stop(second);
    const third = await start(database, { BOOTSTRAP_OWNER_EMAIL: OWNER.email });
    expect(third.output()).not.toMatch(/BOOTSTRAP_OWNER_PASSWORD/);
    expect((await login(third)).status).toBe(200);
  });

  it('another JWT_SECRET invalidates every token', async () => {
    const database = await fresh();
    const first = await start(database, BOOTSTRAP);
    const { token } = (await login(first)).body;
    await stop(first);
    const second = await start(database, { JWT_SECRET: OTHER_SECRET });
    const { status, body } = await send(`GET ${second.url}/api/v1/auth/me`, { token });
    expect({ status, body }).toEqual({ status: 401, body: { error: { message: 'Invalid or expired token', status: 401 } } });
  });

  it.each([['24h', 86_400], ['30m', 1_800], ['900', 900], ['7d', 604_800], ['45s', 45]])('takes JWT_EXPIRES_IN=%s', async (given, seconds) => {
    const server = await start(await fresh(), { ...BOOTSTRAP, JWT_EXPIRES_IN: given, ACCESS_TOKEN_TTL: '1m', REFRESH_TOKEN_TTL: '2m' });
    const { body } = await login(server);
    const { claims } = decodeJwt(body.token);
    expect(body.expires_in).toBe(given);
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(seconds);
  });

  it.each([
    ['no JWT_SECRET with the embedded database', { JWT_SECRET: undefined }, /JWT_SECRET: got nothing; wants at least 48 characters .*openssl rand -base64 48.*the dialect mosbot/],
    ['a JWT_SECRET of 47 characters', { JWT_SECRET: SECRET.slice(1) }, /JWT_SECRET: got \(hidden\), 47 characters; wants at least 48 characters .*openssl/],
    ['a bootstrap password of 11 characters', { ...BOOTSTRAP, BOOTSTRAP_OWNER_PASSWORD: 'elevenchars' }, /BOOTSTRAP_OWNER_PASSWORD: got \(hidden\), 11 characters; wants at least 12/],
    ['a lifetime in words', { JWT_EXPIRES_IN: '7 days' }, /JWT_EXPIRES_IN: got "7 days"/],
    ['a lifetime in weeks', { JWT_EXPIRES_IN: '1w' }, /JWT_EXPIRES_IN/],
    ['no lifetime', { JWT_EXPIRES_IN: '0' }, /JWT_EXPIRES_IN/],
    ['a negative lifetime', { JWT_EXPIRES_IN: '-7d' }, /JWT_EXPIRES_IN/],
    ['half an hour in hours', { JWT_EXPIRES_IN: '0.5h' }, /JWT_EXPIRES_IN/],
    ['a lifetime beyond that of any session', { JWT_EXPIRES_IN: '91d' }, /JWT_EXPIRES_IN: got "91d"; wants no more than SESSION_MAX_AGE/],
  ])('refuses to start with %s', async (_, env, message) => {
    const { code, output } = await runGatehouse({ env: { ...LOOPBACK, DATA_DIR: '/nowhere/at/all', ...env } });
    expect(code).toBe(1);
    expect(output).toMatch(message);
    expect(output).not.toContain(SECRET.slice(1));
  });

  it('serves a dashboard on another origin, with every method that it needs', async () => {
    const origin = 'https://dashboard.example.com';
    const server = await start(await fresh(), { ...BOOTSTRAP, CORS_ORIGIN: origin });
    const preflight = await fetch(`${server.url}/api/v1/admin/users/x`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization,content-type' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-credentials')).toBe('true');
    expect(preflight.headers.get('access-control-allow-methods')).toMatch(/PUT/);
    const refused = await send(`POST ${server.url}/api/v1/auth/login`, { json: { email: OWNER.email, password: 'wrong' }, headers: { origin } });
    expect({ status: refused.status, allowed: refused.headers.get('access-control-allow-origin') }).toEqual({ status: 401, allowed: origin });
    const other = await send(`POST ${server.url}/api/v1/auth/login`, { json: {}, headers: { origin: 'https://evil.example.com' } });
    expect(other.headers.get('access-control-allow-origin')).not.toBe('https://evil.example.com');
  });
});
