import { type Ended, gatehouse } from './support/cli.js';
import { type Api, eventually, send } from './support/client.js';
import { Hammer } from './support/hammer.js';
import { decodeJwt } from './support/jwt.js';
import { owner, type Person, person } from './support/people.js';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.js';
import { startSuite, type Suite } from './support/suite.js';
import { openProxy, type TcpProxy } from './support/tcp-proxy.js';

// Half of the server is loaded for each command.
jest.setTimeout(180_000);

/** How many requests are sent, at the least, after a command has ended. */
const REQUESTS_AFTER = 25;

interface Target extends Person {
  key: string;
  keyId: string;
}

/** What ends a credential, on the command line, and how that is refused from then on. */
const ENDINGS: [string, 'session' | 'key', (target: Target) => string, number][] = [
  ['user sign-out', 'session', ({ email }) => `user sign-out ${email}`, 401],
  ['user disable', 'session', ({ email }) => `user disable ${email}`, 401],
  ['user set-password', 'session', ({ email }) => `user set-password ${email} --generate`, 401],
  ['session revoke', 'session', ({ token }) => `session revoke ${String(decodeJwt(token).claims['sid'])}`, 401],
  ['user set-role', 'session', ({ email }) => `user set-role ${email} member`, 403],
  ['api-key revoke', 'key', ({ keyId }) => `api-key revoke ${keyId}`, 401],
  ['api-key rotate', 'key', ({ keyId }) => `api-key rotate ${keyId}`, 401],
  ['user disable', 'key', ({ email }) => `user disable ${email}`, 401],
];

describe('commands beside one server that remembers', () => { endAtOnce('memory'); });
describe('commands beside two servers that ask PostgreSQL, one of them of two processes', () => { endAtOnce('off'); });
describeWithRedis('cli-revocation.e2e.ts')('commands beside two servers that remember in Redis', () => { endAtOnce('redis'); });

function endAtOnce(cache: 'memory' | 'off' | 'redis'): void {
  let redis: TestRedis | null = null;
  let line: TcpProxy | null = null;
  let suite: Suite;
  let servers: Api[];
  let boss: Person;

  beforeAll(async () => {
    if (cache === 'redis') {
      redis = await startRedis();
      line = await openProxy(redis.url);
    }
    suite = await startSuite({ PRINCIPAL_CACHE: cache, REDIS_URL: redis?.url, ...(cache === 'off' ? { WEB_CONCURRENCY: '2' } : {}) });
    servers = [suite.api];
    if (cache !== 'memory') servers.push(await suite.startAnother({ WEB_CONCURRENCY: '1' }));
    if (cache === 'redis') {
      for (const { gatehouse: { url } } of servers) {
        await eventually(async () => { expect((await send(`GET ${url}/health/ready`)).body).toMatchObject({ checks: { cache: 'up' } }); });
      }
    }
    boss = await owner(suite.api);
  });
  afterAll(async () => {
    await suite.stop();
    await line?.cut();
    await redis?.stop();
  });

  const makeTarget = async (): Promise<Target> => {
    const target = await person(suite.api, boss.token, 'admin');
    const { key, id } = await suite.api.createKey(target.token, ['users:read']);
    return { ...target, key: key as string, keyId: id as string };
  };
  /** Without `PRINCIPAL_CACHE`: what the servers remember has to go whatever the command believes of it. */
  const run = (command: string): Promise<Ended> =>
    gatehouse(command.split(' '), { env: { DATABASE_URL: suite.database.url, REDIS_URL: line?.url } });
  /** Uses a credential on all servers before, while and after a command ends it. @returns how the command ended, and what was answered then */
  const useAndEnd = async (target: Target, credential: 'session' | 'key', command: string): Promise<{ ended: Ended; statuses: number[] }> => {
    const hammer = new Hammer(servers, 'GET /users?limit=1', credential === 'session' ? { token: target.token } : { apiKey: target.key }, 2);
    await hammer.untilAccepted(20);
    const ended = await run(command);
    const endedAt = performance.now();
    await hammer.untilSentAfter(endedAt, REQUESTS_AFTER);
    await hammer.stop();
    return { ended, statuses: hammer.statusesAfter(endedAt) };
  };

  it.each(ENDINGS)('are complete when they have ended: %s, for a %s', async (_, credential, command, status) => {
    const target = await makeTarget();
    const { ended: { code }, statuses } = await useAndEnd(target, credential, command(target));
    expect([code, statuses]).toEqual([0, [status]]);
  });

  if (cache !== 'redis') return;

  it('wait until the servers have forgotten by themselves when they cannot tell Redis', async () => {
    const target = await makeTarget();
    await line?.cut();
    const { ended, statuses } = await useAndEnd(target, 'session', `user sign-out ${target.email}`);
    await line?.restore();
    expect([ended.code, statuses]).toEqual([0, [401]]);
    expect(ended.stderr).toMatch(/^gatehouse: Redis is away \(/);
  });
}
