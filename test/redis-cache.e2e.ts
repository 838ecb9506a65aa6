import { type Api, eventually, send } from './support/client.js';
import { Hammer } from './support/hammer.js';
import { decodeJwt } from './support/jwt.js';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.js';
import { scrape } from './support/scrape.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';
import { openProxy, type TcpProxy } from './support/tcp-proxy.js';

const LEASE_MS = 5_000;

/** Somebody who is signed in. */
interface SignedIn {
  token: string;
  sessionId: string;
}

describeWithRedis('redis-cache.e2e.ts')('two instances that share a Redis', () => {
  let redis: TestRedis;
  let nearLine: TcpProxy;
  let farLine: TcpProxy;
  let suite: Suite;
  let near: Api;
  let far: Api;

  beforeAll(async () => {
    redis = await startRedis();
    nearLine = await openProxy(redis.url);
    farLine = await openProxy(redis.url);
    suite = await startSuite({ REDIS_URL: nearLine.url, METRICS_PUBLIC: 'true' });
    near = suite.api;
    far = await suite.startAnother({ REDIS_URL: farLine.url });
    await used();
  });
  afterAll(async () => {
    await suite.stop();
    await Promise.all([nearLine.cut(), farLine.cut()]);
    await redis.stop();
  });

  const cacheOf = async ({ gatehouse }: Api): Promise<string> => {
    const { status, body } = await send(`GET ${gatehouse.url}/health/ready`);
    expect(status).toBe(200);
    return body.checks.cache as string;
  };
  /** Resolves when both instances use Redis. */
  const used = () => eventually(async () => { expect([await cacheOf(near), await cacheOf(far)]).toEqual(['up', 'up']); });
  const signIn = async (): Promise<SignedIn> => {
    const { accessToken: token } = await near.login(OWNER.email, OWNER.password);
    return { token, sessionId: String(decodeJwt(token).claims['sid']) };
  };
  const me = async (api: Api, { token }: SignedIn): Promise<number> => (await api.call('GET /auth/me', { token })).status;
  const onBoth = async (who: SignedIn): Promise<number[]> => [await me(near, who), await me(far, who)];
  /** Ends sessions without any instance knowing. */
  const endInDatabase = async (...sessions: SignedIn[]): Promise<void> => {
    await suite.database.pool.query('UPDATE sessions SET revoked_at = now() WHERE id = ANY($1::uuid[])', [sessions.map(({ sessionId }) => sessionId)]);
  };

  it('ask it, and not PostgreSQL, for as long as a lease and no longer', async () => {
    const who = await signIn();
    const { key, id } = await near.createKey(who.token, ['servers:read']);
    const useKey = async (api: Api) => (await api.call('GET /api-keys/current', { apiKey: key as string })).status;
    // Whose an API key is, each instance finds out for itself; the second request remembers.
    for (const api of [near, near, far]) expect(await useKey(api)).toBe(200);
    expect(await onBoth(who)).toEqual([200, 200]);
    const since = Date.now();
    await endInDatabase(who);
    await suite.database.pool.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [id]);
    expect(await onBoth(who)).toEqual([200, 200]);
    expect([await useKey(near), await useKey(far)]).toEqual([200, 200]);
    await eventually(async () => { expect([...(await onBoth(who)), await useKey(near), await useKey(far)]).toEqual([401, 401, 401, 401]); });
    expect(Date.now() - since).toBeLessThan(LEASE_MS + 2_000);
  });

  it('let nobody in when it is emptied', async () => {
    const who = await signIn();
    expect(await onBoth(who)).toEqual([200, 200]);
    await endInDatabase(who);
    expect(await onBoth(who)).toEqual([200, 200]);
    await redis.client.flushall();
    expect(await onBoth(who)).toEqual([401, 401]);
  });

  it('let nobody in, and nobody wait, when it holds garbage', async () => {
    for (const spoil of [
      (key: string, field: string) => redis.client.hset(key, field, '{"role":"owner"}'),
      (key: string) => redis.client.set(key, 'owner'),
    ]) {
      const [good, bad] = [await signIn(), await signIn()];
      for (const who of [good, bad]) expect(await onBoth(who)).toEqual([200, 200]);
      const [key = ''] = await redis.client.keys('gatehouse:*:principals:*');
      await endInDatabase(bad);
      for (const { sessionId } of [good, bad]) await spoil(key, `s:${sessionId}`);
      expect(await onBoth(good)).toEqual([200, 200]);
      expect(await onBoth(bad)).toEqual([401, 401]);
      await redis.client.flushall();
    }
  });

  it('keep a revocation that one of them cannot tell it, before it is answered', async () => {
    const [who, admin] = [await signIn(), await signIn()];
    await nearLine.cut();
    const hammer = new Hammer([far], 'GET /auth/me', { token: who.token });
    await hammer.untilAccepted(20);
    expect((await near.call(`DELETE /auth/sessions/${who.sessionId}`, { token: admin.token })).status).toBe(204);
    const answeredAt = performance.now();
    await hammer.untilSentAfter(answeredAt, 20);
    await hammer.stop();
    expect(hammer.statusesAfter(answeredAt)).toEqual([401]);
    expect(await cacheOf(near)).toBe('degraded');
    expect(await cacheOf(far)).toBe('up');
    for (const [api, away] of [[near, 1], [far, 0]] as const) {
      const metrics = await scrape(api.gatehouse.url);
      expect([metrics.value('gatehouse_redis_away'), metrics.value('gatehouse_ready')]).toEqual([away, 1]);
    }
    await nearLine.restore();
    await used();
  }, 30_000);

  it.each<[string, () => void | Promise<void>, () => void | Promise<void>]>([
    ['does not answer', () => { redis.pause(true); }, () => { redis.pause(false); }],
    ['is slow', () => { nearLine.delay(300); farLine.delay(300); }, () => { nearLine.delay(0); farLine.delay(0); }],
    ['is killed', () => redis.kill(), () => redis.start()],
  ])('go on when it %s, and take it up again', async (_, fail, recover) => {
    const [who, admin] = [await signIn(), await signIn()];
    await onBoth(who);
    const hammer = new Hammer([near, far], 'GET /auth/me', { token: admin.token });
    await hammer.untilAccepted(20);
    await fail();
    await eventually(async () => { expect([await cacheOf(near), await cacheOf(far)]).toEqual(['degraded', 'degraded']); });
    await hammer.stop();
    expect(hammer.statusesAfter(0)).toEqual([200]);

    // From here on it costs nothing: a tenth of a second each would be ten seconds.
    const since = performance.now();
    for (let n = 0; n < 50; n++) expect(await onBoth(admin)).toEqual([200, 200]);
    expect(performance.now() - since).toBeLessThan(5_000);

    const ended = near.call(`DELETE /auth/sessions/${who.sessionId}`, { token: admin.token });
    // Meanwhile it comes back, with whatever it had.
    await recover();
    expect((await ended).status).toBe(204);
    expect(await onBoth(who)).toEqual([401, 401]);
    await used();
    expect(await onBoth(who)).toEqual([401, 401]);
    expect(await onBoth(admin)).toEqual([200, 200]);
    await endInDatabase(admin);
    expect(await onBoth(admin)).toEqual([200, 200]);
  }, 30_000);

  it('say once that it went away, and once that it is back', () => {
    for (const { gatehouse } of [near, far]) {
      const told = gatehouse.output().match(/Redis is (away|in use)/g) ?? [];
      expect(told.length).toBeGreaterThan(2);
      for (const [n, line] of told.entries()) expect(line).toBe(n % 2 === 0 ? 'Redis is in use' : 'Redis is away');
    }
  });
});
