import { brokenRequests } from './support/broken-requests.js';
import { type Answer, type Json, type RequestOptions, send } from './support/client.js';
import { TEST_JWT_SECRET } from './support/gatehouse.js';
import { decodeJwt, forgeJwt } from './support/jwt.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const BASE = '/api/v1';
const LOCKED = 'Account is temporarily locked due to too many failed login attempts';

describe('the errors of mosbot', () => {
  let suite: Suite;

  beforeAll(async () => {
    suite = await startSuite({ DIALECTS: 'mosbot' });
  });
  afterAll(() => suite.stop());

  const call = (target: string, options: RequestOptions = {}, url = suite.gatehouse.url): Promise<Answer<Json>> => {
    const [method = '', path = ''] = target.split(' ');
    return send(`${method} ${url}${path}`, options);
  };
  const login = (email: unknown, password: unknown) => call('POST /api/v1/auth/login', { json: { email, password } });
  const failure = (status: number, message: unknown) => ({ status, body: { error: { message, status } } });
  const seen = ({ status, body }: Answer<Json>) => ({ status, body });

  it.each<[string, unknown, unknown, number, string]>([
    ['no email', undefined, 'x', 400, 'Email and password are required'],
    ['no password', OWNER.email, undefined, 400, 'Email and password are required'],
    ['empty fields', '', '', 400, 'Email and password are required'],
    ['null', null, null, 400, 'Email and password are required'],
    ['a number for an email', 7, 'x', 400, 'Email must be a string'],
    ['an object for a password', OWNER.email, { $ne: '' }, 400, 'Password must be a string'],
    ['endless combining marks', OWNER.email, `a${'\u0301'.repeat(500_000)}`, 400, 'password must not have more than 30 combining marks in a row'],
    ['an unknown email', 'nobody@example.com', 'x', 401, 'Invalid credentials'],
    ['an email with a NUL', 'nobody\0@example.com', 'x', 401, 'Invalid credentials'],
    ['a wrong password', OWNER.email, 'wrong', 401, 'Invalid credentials'],
  ])('answers a login with %s', async (_, email, password, status, message) => {
    expect(seen(await login(email, password))).toEqual(failure(status, message));
  });

  it.each(brokenRequests({ base: BASE, login: `${BASE}/auth/login`, guarded: `${BASE}/auth/me` }))(
    'answers %s in its own form',
    async (_, target, options, status) => {
      const answer = await call(target, options);
      expect(seen(answer)).toEqual(failure(status, expect.stringMatching(/./)));
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    },
  );

  it.each<[string, RequestOptions, string]>([
    ['no header', {}, 'No token provided'],
    ['another scheme', { headers: { authorization: 'Basic b3duZXI6eA==' } }, 'No token provided'],
    ['a bare token', { headers: { authorization: 'eyJ.a.b' } }, 'No token provided'],
    ['no token after the scheme', { headers: { authorization: 'Bearer ' } }, 'No token provided'],
    ['a token that is none', { token: 'nonsense' }, 'Invalid or expired token'],
    ['an API key that is none', { token: 'gh_nonsense' }, 'Invalid or expired token'],
  ])('answers 401 to %s', async (_, options, message) => {
    expect(seen(await call('GET /api/v1/auth/me', options))).toEqual(failure(401, message));
    expect(seen(await call('POST /api/v1/auth/verify', options))).toEqual(failure(401, message));
  });

  it('takes no token that it did not sign, whatever it claims', async () => {
    const { body } = await login(OWNER.email, OWNER.password);
    const { header, claims } = decodeJwt(body.token);
    expect((await call('GET /api/v1/auth/me', { token: forgeJwt(header, claims) })).status).toBe(200);
    const forged = [
      forgeJwt(header, claims, { secret: `${TEST_JWT_SECRET}x` }),
      forgeJwt({ ...header, alg: 'none' }, claims).replace(/[^.]+$/, ''),
      forgeJwt(header, { ...claims, exp: Math.floor(Date.now() / 1000) - 1 }),
      forgeJwt(header, { id: claims['id'], email: claims['email'], role: 'owner', iat: claims['iat'], exp: claims['exp'] }),
    ];
    for (const token of forged) expect(seen(await call('GET /api/v1/auth/me', { token }))).toEqual(failure(401, 'Invalid or expired token'));
  });

  it('refuses a token whose session was ended', async () => {
    const { token } = (await login(OWNER.email, OWNER.password)).body;
    expect((await send(`POST ${suite.gatehouse.api}/auth/logout`, { token })).status).toBe(204);
    expect(seen(await call('GET /api/v1/auth/me', { token }))).toEqual(failure(401, 'Invalid or expired token'));
  });

  it('keeps API keys out of routes for people', async () => {
    const { token } = (await login(OWNER.email, OWNER.password)).body;
    const { key } = await suite.api.createKey(token, ['*']);
    const refused = failure(403, 'This route is for signed-in people, not for API keys.');
    expect(seen(await call('GET /api/v1/auth/me', { apiKey: key }))).toEqual(refused);
    expect(seen(await call('GET /api/v1/admin/users', { token: key }))).toEqual(refused);
  });

  it('has registration closed by default, whatever the body is', async () => {
    expect(seen(await call('POST /api/v1/auth/register', { json: {} }))).toEqual(failure(403, 'Registration is disabled'));
    const json = { name: 'Ada', email: 'ada@example.com', password: 'three random words 42' };
    expect(seen(await call('POST /api/v1/auth/register', { json }))).toEqual(failure(403, 'Registration is disabled'));
    expect((await login(json.email, json.password)).status).toBe(401);
  });

  it('lets five of a hundred guesses at once through, and then not even the right password', async () => {
    const { token } = (await login(OWNER.email, OWNER.password)).body;
    const victim = { email: 'victim@example.com', password: 'three random words 42' };
    await call('POST /api/v1/admin/users', { token, json: { name: 'Victim', ...victim } });
    const answers = await Promise.all(Array.from({ length: 100 }, () => login(victim.email, 'wrong')));
    const statuses = answers.map(({ status }) => status);
    expect([401, 423].map((status) => statuses.filter((one) => one === status).length)).toEqual([5, 95]);
    const right = await login(victim.email, victim.password);
    expect(seen(right)).toEqual(failure(423, LOCKED));
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(850);
    await suite.database.pool.query("UPDATE login_attempts SET locked_until = now() - interval '1 second'");
    expect((await login(victim.email, victim.password)).status).toBe(200);
  });

  it('has a fault of the server in its own form, without a word about it', async () => {
    await suite.database.pool.query('ALTER TABLE login_attempts RENAME TO elsewhere');
    try {
      expect(seen(await login(OWNER.email, OWNER.password))).toEqual(failure(500, 'Internal server error'));
    } finally {
      await suite.database.pool.query('ALTER TABLE elsewhere RENAME TO login_attempts');
    }
  });

  it('says when to come back after too many requests', async () => {
    const another = await suite.startAnother({ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_ATTEMPTS: '2', RATE_LIMIT_WINDOW: '10m' });
    const { url } = another.gatehouse;
    const attempt = () => call('POST /api/v1/auth/login', { json: { email: 'nobody@example.com', password: 'x' } }, url);
    expect([(await attempt()).status, (await attempt()).status]).toEqual([401, 401]);
    const third = await attempt();
    expect(seen(third)).toEqual(failure(429, 'Too many requests, please try again later'));
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(500);
    expect((await call('POST /api/v1/auth/register', { json: {} }, url)).status).toBe(429);
  });

  it('leaves the native API its problem details', async () => {
    const { status, body, headers } = await call('GET /native/v1/auth/me');
    expect({ status, code: body.code }).toEqual({ status: 401, code: 'missing_credential' });
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('stands in the OpenAPI document with its bodies and errors', async () => {
    const { body: document } = await call('GET /openapi.json');
    const operation = document.paths['/api/v1/auth/login'].post;
    expect(operation.requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/MosbotLoginBody' });
    expect(Object.keys(operation.responses).sort()).toEqual(['200', '400', '401', '403', '413', '415', '423', '429', '503']);
    for (const status of ['400', '401', '403', '423', '429', '503']) {
      const { schema, example } = operation.responses[status].content['application/json'];
      expect(schema).toEqual({ $ref: '#/components/schemas/MosbotErrorBody' });
      expect(example.error.status).toBe(Number(status));
    }
    expect(document.paths['/api/v1/admin/users/{id}'].put.security).not.toEqual([]);
    expect(document.paths['/api/v1/auth/login'].post.security).toEqual([]);
    expect(Object.keys(document.paths)).toContain('/native/v1/auth/login');
  });
});
