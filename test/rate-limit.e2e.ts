import { type Api, eventually, send } from './support/client.js';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const LIMITED = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_ATTEMPTS: '6', RATE_LIMIT_WINDOW: '10m', REGISTRATION: 'open' };

describe('the rate limit', () => {
  const suites: Suite[] = [];
  afterAll(() => Promise.all(suites.map((suite) => suite.stop())));

  const start = async (env: Record<string, string> = {}): Promise<Api> => {
    const suite = await startSuite({ ...LIMITED, ...env });
    suites.push(suite);
    return suite.api;
  };
  /** The statuses of attempts, one from each address. */
  const attempts = async (api: Api, addresses: (string | undefined)[]): Promise<number[]> => {
    const statuses: number[] = [];
    for (const address of addresses) {
      const headers = address === undefined ? {} : { 'x-forwarded-for': address };
      const { status } = await api.call('POST /auth/refresh', { json: { refreshToken: 'x' }, headers });
      statuses.push(status);
    }
    return statuses;
  };

  it('holds for all routes that take a credential together, and no others', async () => {
    const api = await start();
    const { accessToken } = await api.login(OWNER.email, OWNER.password);
    const credentials: [string, object, number][] = [
      ['POST /auth/login', { username: 'x', password: 'wrong' }, 401],
      ['POST /auth/refresh', { refreshToken: 'x' }, 401],
      ['POST /auth/register', {}, 422],
      ['PATCH /auth/me', { name: 'Me' }, 200],
      ['POST /auth/me/password', { currentPassword: 'wrong', newPassword: 'x' }, 422],
    ];
    for (const [target, json, expected] of credentials) {
      expect({ target, status: (await api.call(target, { token: accessToken, json })).status }).toEqual({ target, status: expected });
    }
    for (const [target, json] of credentials) {
      const { status, headers, body } = await api.call(target, { token: accessToken, json });
      expect({ target, status, code: body.code }).toEqual({ target, status: 429, code: 'too_many_requests' });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(500);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(600);
    }
    const right = await api.call('POST /auth/login', { json: { email: OWNER.email, password: OWNER.password } });
    expect(right.status).toBe(429);
    expect((await api.call('GET /auth/me', { token: accessToken })).status).toBe(200);
  });

  it('counts attempts whose body is refused', async () => {
    const api = await start();
    for (let n = 0; n < 6; n++) expect((await api.call('POST /auth/login', { json: {} })).status).toBe(422);
    expect((await api.call('POST /auth/login', { json: {} })).status).toBe(429);
  });

  it('does not believe X-Forwarded-For without TRUST_PROXY', async () => {
    const api = await start();
    expect(await attempts(api, Array.from({ length: 7 }, (_, n) => `192.0.2.${String(n)}`))).toEqual([401, 401, 401, 401, 401, 401, 429]);
  });

  it('ends with its window', async () => {
    const api = await start({ RATE_LIMIT_WINDOW: '1s' });
    await attempts(api, Array.from({ length: 7 }, () => undefined));
    await eventually(async () => { expect((await api.call('POST /auth/login', { json: {} })).status).toBe(422); });
  });

  describe('behind a proxy', () => {
    let api: Api;
    beforeAll(async () => {
      api = await start({ TRUST_PROXY: '127.0.0.1' });
    });

    it('holds for each client by itself', async () => {
      expect(await attempts(api, Array.from({ length: 7 }, () => '192.0.2.1'))).toEqual([401, 401, 401, 401, 401, 401, 429]);
      expect(await attempts(api, ['192.0.2.2', '192.0.2.1'])).toEqual([401, 429]);
    });

    it('looks at the address that the proxy wrote, not at those before it', async () => {
      expect(await attempts(api, Array.from({ length: 7 }, (_, n) => `198.51.100.${String(n)}, 192.0.2.3`))).toEqual([401, 401, 401, 401, 401, 401, 429]);
    });

    it('takes an IPv6 network of 64 bits for one client, however it is written', async () => {
      const addresses = ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:DB8:0:1:ffff::', '2001:0db8:0000:0001::3', '2001:db8:0:1:1:2:3:4', '2001:db8:0:1:0:0:0:9'];
      expect(await attempts(api, [...addresses, '2001:db8:0:1::a'])).toEqual([401, 401, 401, 401, 401, 401, 429]);
      expect(await attempts(api, ['2001:db8:0:2::1', '2001:db8::1'])).toEqual([401, 401]);
    });

    it('does not look at the port that a proxy writes beside the address', async () => {
      const addresses = ['203.0.113.1', '203.0.113.1:1', '203.0.113.1:2', '203.0.113.1:3', '203.0.113.1:4', '203.0.113.1:5', '203.0.113.1:6'];
      expect(await attempts(api, addresses)).toEqual([401, 401, 401, 401, 401, 401, 429]);
      const ipv6 = ['2001:db8:0:9::1', '[2001:db8:0:9::1]', ...Array.from({ length: 5 }, (_, n) => `[2001:db8:0:9::1]:${String(n + 1)}`)];
      expect(await attempts(api, ipv6)).toEqual([401, 401, 401, 401, 401, 401, 429]);
    });

    it('takes an IPv4 client that came by IPv6 for the same', async () => {
      const addresses = ['192.0.2.9', '::ffff:192.0.2.9', '::FFFF:192.0.2.9', '192.0.2.9', '192.0.2.9', '192.0.2.9'];
      expect(await attempts(api, [...addresses, '::ffff:192.0.2.9'])).toEqual([401, 401, 401, 401, 401, 401, 429]);
      expect(await attempts(api, ['::ffff:192.0.2.10'])).toEqual([401]);
    });
  });
});

describeWithRedis('rate-limit.e2e.ts')('the rate limit of instances that share a Redis', () => {
  let redis: TestRedis;
  let suite: Suite;
  let instances: [Api, Api];
  beforeAll(async () => {
    redis = await startRedis();
    suite = await startSuite({ ...LIMITED, REDIS_URL: redis.url, TRUST_PROXY: '127.0.0.1' });
    instances = [suite.api, await suite.startAnother()];
  });
  afterAll(async () => {
    await suite.stop();
    await redis.stop();
  });

  const cacheIs = (state: string) => eventually(async () => {
    for (const { gatehouse } of instances) expect((await send(`GET ${gatehouse.url}/health/ready`)).body.checks.cache).toBe(state);
  });
  /** The statuses of attempts from one address, on one instance after the other. */
  const attempts = async (address: string, times: number): Promise<number[]> => {
    const statuses: number[] = [];
    for (let n = 0; n < times; n++) statuses.push((await attempt(address, n)).status);
    return statuses;
  };
  const attempt = (address: string, n: number) =>
    instances[n % 2]!.call('POST /auth/refresh', { json: { refreshToken: 'x' }, headers: { 'x-forwarded-for': address } });

  it('is one for all of them', async () => {
    await cacheIs('up');
    expect(await attempts('192.0.2.1', 8)).toEqual([401, 401, 401, 401, 401, 401, 429, 429]);
    const retryAfter = Number((await attempt('192.0.2.1', 0)).headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(500);
    expect(retryAfter).toBeLessThanOrEqual(600);
    expect(await attempts('192.0.2.2', 1)).toEqual([401]);
    const atOnce = await Promise.all(Array.from({ length: 20 }, (_, n) => attempt('192.0.2.3', n)));
    expect(atOnce.filter(({ status }) => status === 401)).toHaveLength(6);
  });

  it('begins anew with its window, which no attempt prolongs, and leaves no address behind', async () => {
    await attempts('192.0.2.4', 7);
    const [key = ''] = await redis.client.keys('*192.0.2.4');
    await redis.client.pexpire(key, 1_000);
    expect(await attempts('192.0.2.4', 2)).toEqual([429, 429]);
    expect(await redis.client.pttl(key)).toBeLessThanOrEqual(1_000);
    await eventually(async () => { expect(await redis.client.exists(key)).toBe(0); });
    expect(await attempts('192.0.2.4', 2)).toEqual([401, 401]);
    expect(await redis.client.pttl(key)).toBeGreaterThan(0);
  });

  it('is each one’s own while Redis is away', async () => {
    await redis.kill();
    await cacheIs('degraded');
    expect(await attempts('192.0.2.5', 14)).toEqual([...Array.from({ length: 12 }, () => 401), 429, 429]);
    await redis.start();
    await cacheIs('up');
    expect(await attempts('192.0.2.5', 7)).toEqual([401, 401, 401, 401, 401, 401, 429]);
  });
});
