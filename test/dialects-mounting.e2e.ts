import { send } from './support/client.js';
import { type Gatehouse, runGatehouse } from './support/gatehouse.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';
import { loadSettings } from '../src/settings.js';

const ALL = ['mosbot', 'os-trading-engine', 'osmedeus', 'asyncat', 'chatops'];
const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'a password of the admin' };
const SECRET = 'kX3vB7nM1qW5eR9tY2uI6oP0aS4dF8gH3jK7lZ1xC5vB9nM2';

describe('DIALECTS', () => {
  const settings = (DIALECTS: string, env: Record<string, string> = {}) => loadSettings({ env: { DIALECTS, JWT_SECRET: SECRET, ...env } });

  it.each([
    ['no dialect', '', []],
    ['each alone', 'osmedeus', ['osmedeus']],
    ['several, with spaces and empty places', ' osmedeus, asyncat,,', ['osmedeus', 'asyncat']],
    ['one twice', 'asyncat,asyncat', ['asyncat', 'asyncat']],
  ])('takes %s', (_, given, expected) => {
    expect(settings(given).dialects).toEqual(expected);
  });

  it.each([
    ['an unknown name', 'osmedeus,mosbots', /DIALECTS: got "mosbots"; wants names with commas between, of mosbot, os-trading-engine, osmedeus, asyncat, chatops/],
    ['a name in capitals', 'MosBot', /DIALECTS: got "MosBot"/],
    ['a property of every object', 'constructor', /DIALECTS: got "constructor"/],
  ])('refuses %s, and names those that there are', (_, given, message) => {
    expect(() => settings(given)).toThrow(message);
  });

  it.each([
    ['mosbot', 'os-trading-engine'], ['os-trading-engine', 'mosbot'], ['mosbot', 'chatops'], ['chatops', 'os-trading-engine'],
  ])('refuses %s with %s, and names both and the path', (one, other) => {
    const [first, second] = ALL.filter((name) => [one, other].includes(name));
    const message = `DIALECTS: got ${first!} and ${second!}, which both own /api/v1/auth; wants dialects with paths of their own`;
    expect(() => settings(`osmedeus,${one},${other}`, ADMIN)).toThrow(message);
  });

  it('lets every other pair be', () => {
    for (const one of ['mosbot', 'os-trading-engine', 'chatops']) {
      expect(() => settings(`${one},osmedeus,asyncat`, ADMIN)).not.toThrow();
    }
  });

  it('reports all that is wrong at once, as a start does', async () => {
    const { code, output } = await runGatehouse({ env: { DIALECTS: 'mosbot,chatops,nobody', JWT_SECRET: undefined, PORT: 'x' } });
    expect(code).toBe(1);
    expect(output).toMatch(/4 settings are wrong/);
    for (const part of [/got "nobody"/, /mosbot and chatops, which both own \/api\/v1\/auth/, /JWT_SECRET: got nothing/, /PORT: got "x"/]) expect(output).toMatch(part);
  });

  it.each([
    ['', {}, 3000], ['asyncat', {}, 8716], ['asyncat', { PORT: '4000' }, 4000], ['asyncat,asyncat', {}, 8716],
    ['osmedeus', {}, 3000], ['asyncat,osmedeus', {}, 3000], ['mosbot', {}, 3000],
  ])('with %j and %j listens on %s', (given, env, port) => {
    expect(settings(given, env).port).toBe(port);
  });

  it.each([
    ['', {}, 'closed'], ['chatops', {}, 'open'], ['chatops', { REGISTRATION: 'closed' }, 'closed'], ['asyncat,chatops', {}, 'open'],
    ['mosbot', {}, 'closed'], ['mosbot', { REGISTRATION: 'open' }, 'open'], ['osmedeus', {}, 'closed'], ['asyncat', {}, 'closed'],
  ])('with %j and %j has registration %s', (given, env, registration) => {
    expect(settings(given, env).registration).toBe(registration);
  });

  it.each([
    ['mosbot', { JWT_SECRET: '' }, /JWT_SECRET: got nothing; .*because the dialect mosbot is mounted/],
    ['os-trading-engine', {}, /ADMIN_EMAIL: got nothing; .*because the dialect os-trading-engine is mounted/],
    ['mosbot', { SESSION_MAX_AGE: '2d' }, /JWT_EXPIRES_IN: got nothing, which is "7d"; wants no more than SESSION_MAX_AGE, which is 172800 s/],
    ['asyncat', { SESSION_MAX_AGE: '2d' }, /JWT_EXPIRES_IN: got nothing, which is "7d"/],
    ['osmedeus', { SESSION_MAX_AGE: '12h', REFRESH_TOKEN_TTL: '1h' }, /JWT_EXPIRATION_MINUTES: got nothing, which is 1440/],
  ])('%s does not start without what it cannot do without', (given, env, message) => {
    expect(() => settings(given, env)).toThrow(message);
  });
});

describe('mounted dialects', () => {
  const suites: Suite[] = [];
  afterAll(() => Promise.all(suites.map((suite) => suite.stop())));

  const start = async (env: Record<string, string>): Promise<Gatehouse> => {
    const suite = await startSuite(env);
    suites.push(suite);
    return suite.gatehouse;
  };
  const status = async (target: string, token?: string) => (await send(target, token === undefined ? {} : { token })).status;

  it.each([
    ['mosbot', { DIALECTS: 'mosbot' }],
    ['os-trading-engine', { DIALECTS: 'os-trading-engine', ...ADMIN }],
    ['chatops', { DIALECTS: 'chatops' }],
  ])('%s moves the native API, and everything says so', async (name, env) => {
    const server = await start(env);
    expect(server.output()).toContain(`  API      ${server.url}/native/v1 (moved: /api/v1 belongs to ${name})\n  Dialect  ${server.url}/api/v1 (${name})\n`);
    expect((await send(`GET ${server.url}/health`)).body.nativeApi).toBe('/native/v1');
    expect(await status(`GET ${server.url}/native/v1/auth/status`)).toBe(200);
    expect(await status(`GET ${server.url}/api/v1/auth/status`)).toBe(404);
    const { body: document } = await send(`GET ${server.url}/openapi.json`);
    expect(document.info.description).toContain('The native API is served at `/native/v1`');
    expect(document.info.description).toContain(`\`${name}\` at \`/api/v1\``);
    expect(document.components.securitySchemes.password.flows.password.tokenUrl).toBe('/native/v1/auth/login');
    const native = Object.keys(document.paths).filter((path) => path.startsWith('/native/v1/'));
    expect(native).toEqual(expect.arrayContaining(['/native/v1/auth/me', '/native/v1/users', '/native/v1/api-keys', '/native/v1/config', '/native/v1/audit-events']));
    // The set-up and the health checks are at the root, wherever the native API is.
    expect(await status(`POST ${server.url}/setup`)).toBe(422);
  });

  it.each(['osmedeus', 'asyncat', 'osmedeus,asyncat'])('%s leave the native API where it is', async (names) => {
    const server = await start({ DIALECTS: names });
    expect(server.output()).toMatch(/ {2}API {6}http:\S+\/api\/v1\n/);
    expect((await send(`GET ${server.url}/health`)).body.nativeApi).toBe('/api/v1');
    expect(await status(`GET ${server.url}/api/v1/auth/status`)).toBe(200);
    expect(await status(`GET ${server.url}/native/v1/auth/status`)).toBe(404);
  });

  it('several are served side by side, each with its own paths and errors', async () => {
    const { url } = await start({ DIALECTS: 'mosbot,osmedeus,asyncat' });
    expect((await send(`GET ${url}/api/v1/nowhere`)).body).toEqual({ error: { message: 'Not found', status: 404 } });
    expect((await send(`GET ${url}/osm/api/nowhere`)).body).toMatchObject({ error: true, message: expect.any(String) });
    expect((await send(`GET ${url}/api/auth/nowhere`)).body).toMatchObject({ success: false, error: expect.any(String) });
    for (const path of ['/native/v1/nowhere', '/nowhere', '/api/v1nowhere', '/osm/apinowhere', '/api', '/osm']) {
      expect((await send(`GET ${url}${path}`)).body).toMatchObject({ code: 'not_found', status: 404 });
    }
  });

  it('a token of one is good for all and for the native API, and is over for all at once', async () => {
    const { url } = await start({ DIALECTS: 'mosbot,osmedeus,asyncat' });
    const json = { email: OWNER.email, username: OWNER.username, password: OWNER.password };
    const tokens = {
      mosbot: (await send(`POST ${url}/api/v1/auth/login`, { json })).body.token,
      osmedeus: (await send(`POST ${url}/osm/api/login`, { json: { username: OWNER.username, password: OWNER.password } })).body.token,
      asyncat: (await send(`POST ${url}/api/auth/login`, { json })).body.token,
      native: (await send(`POST ${url}/native/v1/auth/login`, { json: { email: OWNER.email, password: OWNER.password } })).body.accessToken,
    };
    const guarded = ['/api/v1/auth/me', '/osm/api/user', '/api/auth/me', '/native/v1/auth/me'];
    for (const [from, token] of Object.entries(tokens)) {
      expect({ from, token: typeof token }).toEqual({ from, token: 'string' });
      for (const path of guarded) expect({ from, path, status: await status(`GET ${url}${path}`, token) }).toEqual({ from, path, status: 200 });
      expect(await status(`POST ${url}/native/v1/auth/logout`, token)).toBe(204);
      for (const path of guarded) expect({ from, path, status: await status(`GET ${url}${path}`, token) }).toEqual({ from, path, status: 401 });
    }
  });

  it('one counter of failures is for all', async () => {
    const { url } = await start({ DIALECTS: 'mosbot,osmedeus,asyncat' });
    const guess = async (path: string) => (await send(`POST ${url}${path}`, { json: { email: OWNER.email, username: OWNER.username, password: 'wrong' } })).status;
    const paths = ['/api/v1/auth/login', '/osm/api/login', '/api/auth/login', '/api/v1/auth/login', '/osm/api/login'];
    for (const path of paths) expect([path, await guess(path)]).toEqual([path, 401]);
    for (const path of paths) expect({ path, status: await guess(path) }).toEqual({ path, status: 423 });
    const native = await send(`POST ${url}/native/v1/auth/login`, { json: { email: OWNER.email, password: OWNER.password } });
    expect(native.body.code).toBe('account_locked');
  });
});
