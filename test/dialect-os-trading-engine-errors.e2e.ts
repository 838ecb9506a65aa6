import { brokenRequests } from './support/broken-requests.js';
import { type Answer, type Json, type RequestOptions, send } from './support/client.js';
import { decodeJwt, forgeJwt } from './support/jwt.js';
import { startSuite, type Suite } from './support/suite.js';

const ADMIN = { email: 'user@example.com', password: 'SecurePassword123!' };
const BASE = '/api/v1';
const LOCKED = 'Account is temporarily locked due to too many failed login attempts';

describe('the errors of os-trading-engine', () => {
  let suite: Suite;

  beforeAll(async () => {
    suite = await startSuite({ DIALECTS: 'os-trading-engine', ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password });
  });
  afterAll(() => suite.stop());

  const call = (target: string, options: RequestOptions = {}, url = suite.gatehouse.url): Promise<Answer<Json>> => {
    const [method = '', path = ''] = target.split(' ');
    return send(`${method} ${url}${path}`, options);
  };
  const login = (json: unknown) => call('POST /api/v1/auth/login', { json });
  const me = (options: RequestOptions) => call('GET /api/v1/auth/me', options);
  const seen = ({ status, body }: Answer<Json>) => ({ status, body });

  it.each<[string, unknown, number, string]>([
    ['nothing', {}, 400, 'Email and password are required'],
    ['no email', { password: 'x' }, 400, 'Email and password are required'],
    ['an empty password', { ...ADMIN, password: '' }, 400, 'Email and password are required'],
    ['a number for an email', { ...ADMIN, email: 7 }, 400, 'email must be a string'],
    ['an array for a password', { ...ADMIN, password: [ADMIN.password] }, 400, 'password must be a string'],
    ['a word for rememberMe', { ...ADMIN, rememberMe: 'true' }, 400, 'rememberMe must be a boolean'],
    ['a number for rememberMe', { ...ADMIN, rememberMe: 1 }, 400, 'rememberMe must be a boolean'],
    ['null for rememberMe', { ...ADMIN, rememberMe: null }, 400, 'rememberMe must be a boolean'],
    ['endless combining marks', { ...ADMIN, password: `a${'\u0301'.repeat(500_000)}` }, 400, 'password must not have more than 30 combining marks in a row'],
    ['an unknown email', { ...ADMIN, email: 'nobody@example.com' }, 401, 'Invalid email or password'],
    ['a wrong password', { ...ADMIN, password: 'wrong' }, 401, 'Invalid email or password'],
  ])('answers a login with %s', async (_, json, status, error) => {
    expect(seen(await login(json))).toEqual({ status, body: { error } });
  });

  it.each(brokenRequests({ base: BASE, login: `${BASE}/auth/login`, guarded: `${BASE}/auth/me` }))(
    'answers %s in its own form',
    async (_, target, options, status) => {
      const answer = await call(target, options);
      expect(seen(answer)).toEqual({ status, body: { error: expect.stringMatching(/./) } });
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    },
  );

  it('has no registration', async () => {
    expect(seen(await call('POST /api/v1/auth/register', { json: ADMIN }))).toEqual({ status: 404, body: { error: 'Not found' } });
  });

  it.each<[string, RequestOptions, string]>([
    ['no header', {}, 'Authorization header required'],
    ['an empty header', { headers: { authorization: '' } }, 'Authorization header required'],
    ['another scheme', { headers: { authorization: 'Basic b3duZXI6eA==' } }, 'Invalid authorization header format'],
    ['a bare token', { headers: { authorization: 'eyJ.a.b' } }, 'Invalid authorization header format'],
    ['no token after the scheme', { headers: { authorization: 'Bearer ' } }, 'Invalid authorization header format'],
    ['a token that is none', { token: 'nonsense' }, 'Invalid token'],
    ['a key that is none', { apiKey: 'undefined' }, 'Invalid API key'],
    ['an empty key', { apiKey: '' }, 'Invalid API key'],
  ])('answers 401 to %s', async (_, options, error) => {
    expect(seen(await me(options))).toEqual({ status: 401, body: { error } });
    expect(seen(await call('POST /api/v1/auth/logout', options))).toEqual({ status: 401, body: { error } });
  });

  it('tells a revoked token from a bad, an expired and a disabled user\'s one', async () => {
    const owner = (await login(ADMIN)).body;
    const somebody = { email: 'somebody@example.com', password: 'three random words 42' };
    const { id } = await suite.api.createUser(owner.accessToken, somebody);
    const { accessToken: token } = (await login(somebody)).body;
    const { header, claims } = decodeJwt(token);
    const bad = { status: 401, body: { error: 'Invalid token' } };
    expect(seen(await me({ token: forgeJwt(header, { ...claims, exp: Math.floor(Date.now() / 1000) - 1 }) }))).toEqual(bad);
    expect(seen(await me({ token: forgeJwt(header, claims, { secret: 'x'.repeat(48) }) }))).toEqual(bad);
    await suite.api.call(`PATCH /users/${id as string}`, { token: owner.accessToken, json: { disabled: true } });
    expect(seen(await me({ token }))).toEqual(bad);
    expect(seen(await login(somebody))).toEqual({ status: 403, body: { error: 'Account is disabled' } });
    await suite.api.call(`PATCH /users/${id as string}`, { token: owner.accessToken, json: { disabled: false } });
    expect(seen(await me({ token }))).toEqual({ status: 401, body: { error: 'Token has been revoked' } });
  });

  it('locks after the fifth failure, to the right password too, and says until when', async () => {
    for (let failure = 1; failure <= 5; failure++) expect((await login({ ...ADMIN, password: 'wrong' })).status).toBe(401);
    const locked = await login(ADMIN);
    expect(seen(locked)).toEqual({ status: 423, body: { error: LOCKED, lockedUntil: expect.any(String) } });
    const left = (Date.parse(locked.body.lockedUntil) - Date.now()) / 1000;
    expect(left).toBeGreaterThan(890);
    expect(left).toBeLessThanOrEqual(900);
    expect(Math.abs(Number(locked.headers.get('retry-after')) - left)).toBeLessThan(3);
    // It ends by itself, and the count begins anew.
    await suite.database.pool.query("UPDATE login_attempts SET locked_until = now() - interval '1 second'");
    for (let failure = 1; failure <= 4; failure++) expect((await login({ ...ADMIN, password: 'wrong' })).status).toBe(401);
    expect((await login(ADMIN)).status).toBe(200);
    for (let failure = 1; failure <= 4; failure++) expect((await login({ ...ADMIN, password: 'wrong' })).status).toBe(401);
    expect((await login(ADMIN)).status).toBe(200);
  });

  it('lets five of a hundred guesses at once through', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => login({ ...ADMIN, password: 'wrong' })));
    const statuses = answers.map(({ status }) => status);
    expect([401, 423].map((status) => statuses.filter((one) => one === status).length)).toEqual([5, 95]);
    await suite.database.pool.query('DELETE FROM login_attempts');
  });

  it('has a fault of the server in its own form', async () => {
    await suite.database.pool.query('ALTER TABLE login_attempts RENAME TO elsewhere');
    try {
      expect(seen(await login(ADMIN))).toEqual({ status: 500, body: { error: 'Internal server error' } });
    } finally {
      await suite.database.pool.query('ALTER TABLE elsewhere RENAME TO login_attempts');
    }
  });

  it('says when to come back after too many requests', async () => {
    const another = await suite.startAnother({ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_ATTEMPTS: '2', RATE_LIMIT_WINDOW: '10m' });
    const attempt = (path: string) => call(`POST /api/v1/auth/${path}`, { json: { refreshToken: 'x' } }, another.gatehouse.url);
    expect([(await attempt('login')).status, (await attempt('refresh')).status]).toEqual([400, 401]);
    for (const path of ['login', 'refresh']) {
      const answer = await attempt(path);
      expect(seen(answer)).toEqual({ status: 429, body: { error: 'Too many requests, please try again later' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(500);
    }
  });

  it('stands in the OpenAPI document with its bodies and errors', async () => {
    const { body: document } = await call('GET /openapi.json');
    const operation = document.paths['/api/v1/auth/login'].post;
    expect(operation.requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/OsTradingEngineLoginBody' });
    expect(operation.responses['423'].content['application/json']).toEqual({
      schema: { $ref: '#/components/schemas/OsTradingEngineErrorBody' },
      example: { error: LOCKED, lockedUntil: '2026-01-15T10:45:00.000Z' },
    });
    const keys = document.paths['/api/v1/api-keys'].post;
    expect(keys.responses['400'].content['application/json'].schema).toEqual({ $ref: '#/components/schemas/OsTradingEngineErrorBody' });
    expect(keys.responses['422']).toBeUndefined();
    expect(document.paths['/native/v1/api-keys'].post.responses['422']).toBeDefined();
    const operations = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap((item) => Object.values(item));
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });
});
