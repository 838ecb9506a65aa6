import { eventually, type RequestOptions, send } from './support/client.js';
import { CREDENTIALS, expectUnavailable, type FaultSuite, POOL_SIZE, startFaultSuite, type Timed, timed, WITHIN_MS } from './support/fault-suite.js';
import { OWNER } from './support/suite.js';

let suite: FaultSuite;

beforeAll(async () => { suite = await startFaultSuite(); });
afterAll(() => suite.stop());

/** Every kind of request, more of them at once than there are connections. */
function everything(): Promise<Timed>[] {
  const { token, apiKey, call, callDialect } = suite;
  const routes: [string, RequestOptions][] = [
    ['GET /auth/me', { token }],
    ['GET /users', { apiKey }],
    ['GET /auth/sessions', { token }],
    ['GET /auth/status', {}],
    ['POST /api-keys', { token, json: { name: 'x', scopes: ['*'] } }],
    ['POST /auth/login', { json: CREDENTIALS }],
    ['POST /auth/register', { json: { email: 'new@example.com', password: 'three random words 42' } }],
    ['POST /auth/logout', { token }],
  ];
  return Array.from({ length: 3 }, () => [...routes.map(([route, options]) => call(route, options)), ...callDialect()]).flat();
}

describe('PostgreSQL is', () => {
  const faults: Record<string, { begin: () => Promise<void> | void; end: () => Promise<void> | void }> = {
    gone: { begin: () => suite.proxy.cut(), end: () => suite.proxy.restore() },
    frozen: { begin: () => { suite.postgres.freeze(); }, end: () => { suite.postgres.thaw(); } },
    'behind a network that swallows everything': {
      begin: () => { suite.proxy.swallow(true); }, end: () => { suite.proxy.swallow(false); },
    },
    'ending connections as it lets them in': {
      begin: () => { suite.proxy.endOnArrival(true); return suite.cutAll(); }, end: () => { suite.proxy.endOnArrival(false); },
    },
  };

  it.each(Object.entries(faults))('%s: 503 in time for everything that needs it, and it comes back by itself', async (_, { begin, end }) => {
    const { gatehouse, call, token } = suite;
    // The pool is full of connections that were good a moment ago.
    const good = await Promise.all(Array.from({ length: POOL_SIZE }, () => call('GET /auth/me', { token })));
    expect(good.map(({ answer }) => answer.status)).toEqual(good.map(() => 200));
    await begin();
    try {
      // Those who are there when it happens, and those who come later.
      for (let round = 0; round < 2; round += 1) (await Promise.all(everything())).forEach(expectUnavailable);
      const { answer, took } = await timed('ready', send(`GET ${gatehouse.url}/health/ready`));
      expect([answer.status, answer.body]).toEqual([503, { status: 'unready', checks: { database: 'down', migrations: 'down' } }]);
      expect(took).toBeLessThan(WITHIN_MS);
      expect((await send(`GET ${gatehouse.url}/health`)).status).toBe(200);
    } finally {
      await end();
    }
    await suite.expectRecovered();
  });

  it('frozen in the middle of a storm of logins: nobody in the line for a hash waits for those before', async () => {
    const logins = Array.from({ length: 60 }, () => suite.api.call('POST /auth/login', { json: CREDENTIALS }));
    await Promise.all(logins.slice(0, 2));
    suite.postgres.freeze();
    const since = performance.now();
    const statuses = (await Promise.all(logins)).map(({ status }) => status);
    const took = performance.now() - since;
    suite.postgres.thaw();
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(took).toBeLessThan(WITHIN_MS);
    await suite.expectRecovered();
  });
});

describe('a statement that waits for a lock', () => {
  it('is given up in time, on both sides, and so is waiting for a connection meanwhile', async () => {
    const { postgres, gatehouse, call, token } = suite;
    const account = async (): Promise<unknown> => (await postgres.pool.query('SELECT name, updated_at FROM users WHERE email = $1', [OWNER.email])).rows;
    const before = await account();
    const holder = await postgres.pool.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT FROM users WHERE email = $1 FOR UPDATE', [OWNER.email]);
      const changes = Array.from({ length: 3 * POOL_SIZE }, () => call('PATCH /auth/me', { token, json: { name: 'Somebody else' } }));
      (await Promise.all(changes)).forEach(expectUnavailable);
      expect((await call('GET /auth/me', { token })).answer.status).toBe(200);
      // PostgreSQL gave up too: what was answered 503 is not done after all once the lock is free.
      await eventually(async () => { expect(await suite.connections()).not.toContain('active'); });
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    expect(await account()).toEqual(before);
    expect(gatehouse.output()).toContain('canceling statement due to statement timeout');
    await suite.expectRecovered();
  });
});

describe('a stop', () => {
  it('does not wait for a database that is frozen', async () => {
    suite.postgres.freeze();
    const since = performance.now();
    expect(await suite.gatehouse.stop()).toBe(0);
    expect(performance.now() - since).toBeLessThan(10_000);
  });
});
