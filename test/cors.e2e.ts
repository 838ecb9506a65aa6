import { send } from './support/client.js';
import { type Suite, startSuite } from './support/suite.js';

const OURS = 'https://app.example.com';
const THEIRS = 'https://evil.example';

const preflight = (suite: Suite, origin: string, method: string) =>
  send(`OPTIONS ${suite.gatehouse.api}/auth/me`, {
    headers: { Origin: origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'authorization, content-type, x-api-key' },
  });

describe('CORS_ORIGIN', () => {
  let suite: Suite;
  beforeAll(async () => { suite = await startSuite({ CORS_ORIGIN: `${OURS}, http://localhost:5173`, DIALECTS: 'asyncat' }); });
  afterAll(() => suite.stop());

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])('lets a page of an allowed origin use %s with credentials', async (method) => {
    const { status, headers } = await preflight(suite, OURS, method);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(OURS);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-allow-methods')).toMatch(new RegExp(`\\b${method}\\b`));
    for (const name of ['authorization', 'content-type', 'x-api-key']) expect(headers.get('access-control-allow-headers')).toContain(name);
    expect(headers.get('vary')).toMatch(/origin/i);
  });

  it.each([['GET /config', 200], ['GET /auth/me', 401], ['GET /no/such/route', 404]])('lets it read the answer to %s', async (target, expected) => {
    const { status, headers } = await suite.api.call(target, { headers: { Origin: OURS } });
    expect(status).toBe(expected);
    expect(headers.get('access-control-allow-origin')).toBe(OURS);
    expect(headers.get('access-control-expose-headers')).toMatch(/Retry-After.*X-Request-Id/);
  });

  it.each<[string, Record<string, string>]>([
    ['nothing', {}], ['an origin alone', { Origin: OURS }], ['a method alone', { 'Access-Control-Request-Method': 'POST' }], ['another origin alone', { Origin: THEIRS }],
  ])('answers an OPTIONS that is no preflight, with %s, like one', async (_, headers) => {
    for (const path of ['/api/v1/auth/me', '/api/v1/no/such/route', '/api/auth/login', '/api/auth/no/such/route']) {
      const answer = await send(`OPTIONS ${suite.gatehouse.url}${path}`, { headers });
      expect({ path, status: answer.status, body: answer.body }).toEqual({ path, status: 204, body: '' });
      expect(answer.headers.get('access-control-allow-origin')).toBe(headers['Origin'] === OURS ? OURS : null);
      expect(answer.headers.get('access-control-allow-methods')).toContain('DELETE');
    }
  });

  it.each([THEIRS, 'null', `${OURS}.evil.example`, 'http://app.example.com', 'https://app.example.com:8443'])('allows %s nothing', async (origin) => {
    for (const { headers } of [await preflight(suite, origin, 'GET'), await suite.api.call('GET /config', { headers: { Origin: origin } })]) {
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

it('nobody is allowed anything by default', async () => {
  const suite = await startSuite();
  for (const { headers } of [await preflight(suite, OURS, 'GET'), await suite.api.call('GET /config', { headers: { Origin: OURS } })]) {
    expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  }
  await suite.stop();
});
