import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, type Json, type RequestOptions, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { makeDirectory, type TestDirectory } from './support/directory.js';
import { type Gatehouse, runGatehouse, startGatehouse } from './support/gatehouse.js';

const ALICE = { BOOTSTRAP_OWNER_USERNAME: 'alice', BOOTSTRAP_OWNER_PASSWORD: 'plenty of words 42' };

/** Starts with the dialect in different ways; every test has a database and a data directory of its own. */
describe('a start with the dialect osmedeus', () => {
  let database: TestDatabase;
  let data: TestDirectory;
  const servers: Gatehouse[] = [];

  beforeEach(async () => {
    database = await createDatabase();
    data = makeDirectory();
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await database.drop();
    data.remove();
  });

  const environment = (env: Record<string, string | undefined>) =>
    ({ DATABASE_URL: database.url, DIALECTS: 'osmedeus', DATA_DIR: data.path, ...ALICE, ...env });
  const start = async (env: Record<string, string | undefined> = {}): Promise<Gatehouse> => {
    const server = await startGatehouse({ env: environment(env) });
    servers.push(server);
    return server;
  };
  const user = (server: Gatehouse, options: RequestOptions): Promise<Answer<Json>> => send(`GET ${server.url}/osm/api/user`, options);
  const accepts = async (server: Gatehouse, key: string): Promise<boolean> => (await user(server, { headers: { 'x-osm-api-key': key } })).status === 200;
  const shown = (server: Gatehouse): string | undefined => /x-osm-api-key: (\S+)/.exec(server.output())?.[1];

  it('shows the generated key once, and keeps it over starts', async () => {
    const first = await start();
    const key = shown(first)!;
    await first.stop();
    const second = await start();
    expect(second.output()).not.toContain(key);
    expect(second.output()).toContain(`The API key for x-osm-api-key is kept in ${join(data.path, 'osmedeus-api-key')}`);
    expect(await accepts(second, key)).toBe(true);
  });

  it('makes one key for several instances that start at once', async () => {
    const other = makeDirectory();
    try {
      const both = await Promise.all([start(), start({ DATA_DIR: other.path })]);
      const keys = both.map(shown).filter((key) => key !== undefined);
      expect(keys).toHaveLength(1);
      expect(await Promise.all(both.map((server) => accepts(server, keys[0]!)))).toEqual([true, true]);
      const { rows } = await database.pool.query('SELECT count(*)::int AS keys FROM api_keys');
      expect(rows).toEqual([{ keys: 1 }]);
    } finally {
      other.remove();
    }
  });

  it('takes up a key that a start wrote and died over', async () => {
    const key = 'k'.repeat(31) + '7';
    writeFileSync(join(data.path, 'osmedeus-api-key'), `${key}\n`, { mode: 0o600 });
    const server = await start();
    expect(shown(server)).toBe(key);
    expect(await accepts(server, key)).toBe(true);
  });

  it('imports the key of the variable, in place of the one before', async () => {
    const generated = shown(await start())!;
    await servers.splice(0)[0]!.stop();
    const server = await start({ AUTH_API_KEY: 'a-key-of-my-own' });
    expect(shown(server)).toBeUndefined();
    expect(await accepts(server, 'a-key-of-my-own')).toBe(true);
    expect(await accepts(server, generated)).toBe(false);
    expect(server.output()).not.toContain('a-key-of-my-own');
  });

  it('imports the key of a file', async () => {
    const path = join(data.path, 'key');
    writeFileSync(path, 'a-key-in-a-file\n');
    expect(await accepts(await start({ AUTH_API_KEY_FILE: path }), 'a-key-in-a-file')).toBe(true);
  });

  it('leaves a revoked key revoked', async () => {
    const server = await start({ AUTH_API_KEY: 'a-key-of-my-own' });
    await database.pool.query('UPDATE api_keys SET revoked_at = now()');
    await server.stop();
    const again = await start({ AUTH_API_KEY: 'a-key-of-my-own' });
    expect(await accepts(again, 'a-key-of-my-own')).toBe(false);
    expect(again.output()).toContain('AUTH_API_KEY is a key that has been revoked or replaced');
  });

  it('ignores the header where API keys are switched off', async () => {
    const server = await start({ ENABLED_AUTH_API: 'false', AUTH_API_KEY: 'a-key-of-my-own' });
    const { status, body } = await user(server, { headers: { 'x-osm-api-key': 'a-key-of-my-own' } });
    expect({ status, body }).toEqual({ status: 401, body: { error: true, message: 'Missing authorization header' } });
    const { body: { token } } = await send(`POST ${server.url}/osm/api/login`, { json: { username: 'alice', password: ALICE.BOOTSTRAP_OWNER_PASSWORD } });
    expect((await user(server, { token: token as string, headers: { 'x-osm-api-key': 'wrong' } })).status).toBe(200);
  });

  it.each(['null', 'Undefined', 'NIL', '   ', 'a b'])('refuses AUTH_API_KEY=%p', async (key) => {
    const { code, output } = await runGatehouse({ env: environment({ AUTH_API_KEY: key }) });
    expect(code).toBe(1);
    expect(output).toContain('AUTH_API_KEY');
  });

  it('refuses tokens that would outlive every session', async () => {
    const { code, output } = await runGatehouse({ env: environment({ JWT_EXPIRATION_MINUTES: '61', SESSION_MAX_AGE: '1h', REFRESH_TOKEN_TTL: '1h' }) });
    expect(code).toBe(1);
    expect(output).toContain('JWT_EXPIRATION_MINUTES');
  });

  it('refuses a file of half a key instead of replacing it', async () => {
    const path = join(data.path, 'osmedeus-api-key');
    writeFileSync(path, 'half');
    const { code, output } = await runGatehouse({ env: environment({}) });
    expect(code).toBe(1);
    expect(output).toContain(`${path} is too short to be whole`);
    expect(readFileSync(path, 'utf8')).toBe('half');
  });

  it('gives its tokens the lifetime of the variable', async () => {
    const server = await start({ JWT_EXPIRATION_MINUTES: '1' });
    const { body: { token } } = await send(`POST ${server.url}/osm/api/login`, { json: { username: 'alice', password: ALICE.BOOTSTRAP_OWNER_PASSWORD } });
    const claims = JSON.parse(Buffer.from((token as string).split('.')[1]!, 'base64url').toString());
    expect(claims.exp - claims.iat).toBe(60);
  });

  it('shares tokens with other dialects and with the native API where those have put it', async () => {
    const server = await start({ DIALECTS: 'mosbot,osmedeus,asyncat', BOOTSTRAP_OWNER_EMAIL: 'alice@example.com' });
    expect(server.api).toBe(`${server.url}/native/v1`);
    const password = ALICE.BOOTSTRAP_OWNER_PASSWORD;
    const osmedeus = (await send(`POST ${server.url}/osm/api/login`, { json: { username: 'alice', password } })).body.token as string;
    const asyncat = (await send(`POST ${server.url}/api/auth/login`, { json: { email: 'alice@example.com', password } })).body.token as string;
    const routes = [`${server.url}/osm/api/user`, `${server.url}/api/auth/me`, `${server.api}/auth/me`, `${server.url}/api/v1/auth/me`];
    const statuses = (token: string) => Promise.all(routes.map(async (route) => (await send(`GET ${route}`, { token })).status));
    expect([await statuses(osmedeus), await statuses(asyncat)]).toEqual([[200, 200, 200, 200], [200, 200, 200, 200]]);
    await send(`POST ${server.url}/api/auth/logout`, { token: osmedeus });
    await send(`POST ${server.api}/auth/logout`, { token: asyncat });
    expect([await statuses(osmedeus), await statuses(asyncat)]).toEqual([[401, 401, 401, 401], [401, 401, 401, 401]]);
  });

  it('answers 429 in its own body', async () => {
    const server = await start({ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_ATTEMPTS: '1' });
    const login = () => send(`POST ${server.url}/osm/api/login`, { json: { username: 'nobody', password: 'x' } });
    await login();
    const { status, body, headers } = await login();
    expect({ status, body }).toEqual({ status: 429, body: { error: true, message: 'Too many requests' } });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  describe('without authentication', () => {
    it.each([
      ['with an owner', ALICE, 'alice'],
      ['without one', { BOOTSTRAP_OWNER_USERNAME: undefined, BOOTSTRAP_OWNER_PASSWORD: undefined }, 'anonymous'],
    ])('%s, answers everything and signs anybody in', async (_, env, username) => {
      const server = await start({ ...env, AUTH_DISABLED: 'true' });
      expect((await user(server, {})).body).toEqual({ username });
      const { status, body, headers } = await send(`POST ${server.url}/osm/api/login`, { json: { username: 'x', password: 1 } });
      expect({ status, body }).toEqual({ status: 200, body: { token: expect.any(String) } });
      expect(headers.getSetCookie()[0]).toContain(`osmedeus_session=${String(body.token)}`);
      expect((await user(server, { token: body.token as string })).body).toEqual({ username });
      expect((await send(`POST ${server.url}/osm/api/logout`, { token: body.token as string })).status).toBe(200);
      await server.stop();
      // Once authentication is on again, the token is good for nothing.
      expect((await user(await start(), { token: body.token as string })).status).toBe(401);
    });

    it('lets in nobody from elsewhere', async () => {
      const server = await start({ AUTH_DISABLED: 'true' });
      const { status, body } = await send(`POST ${server.url}/osm/api/login`, { json: {}, headers: { 'x-forwarded-for': '192.0.2.1' } });
      expect({ status, body }).toEqual({ status: 403, body: { error: true, message: 'Authentication is switched off, so only this machine may ask.' } });
    });
  });
});
