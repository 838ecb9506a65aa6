import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { ApiKeyPrincipal, Principal, UserPrincipal } from '../src/access/principal.js';
import type { Checked, Load, PrincipalCache } from '../src/principals/principal-cache.js';
import { RedisCache } from '../src/principals/redis-cache.js';
import { Metrics } from '../src/metrics/index.js';
import { RedisConnection } from '../src/redis/redis-connection.js';
import { eventually } from './support/client.js';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.js';
import { openProxy, type TcpProxy } from './support/tcp-proxy.js';

const LEASE_MS = 5_000;

/** One process that remembers in Redis. */
interface Instance {
  cache: PrincipalCache;
  connection: RedisConnection;
}

/** A reading of PostgreSQL that has begun, and ends when the test says so, with what it saw at its beginning. */
interface HeldReading<P> {
  load: Load<P>;
  begun: Promise<void>;
  end: () => void;
}

describeWithRedis('redis-races.spec.ts')('what instances remember in Redis', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let one: Instance;
  let other: Instance;
  /** It reaches Redis through the proxy. */
  let remote: Instance;
  const instances: Instance[] = [];

  const start = async (url: string): Promise<Instance> => {
    const connection = await RedisConnection.open(url);
    connection.onModuleInit();
    instances.push({ connection, cache: new RedisCache(connection, new Metrics()) });
    await eventually(() => { expect(connection.isUp).toBe(true); });
    return instances.at(-1)!;
  };

  beforeAll(async () => {
    Logger.overrideLogger(false);
    redis = await startRedis();
    proxy = await openProxy(redis.url);
    one = await start(redis.url);
    other = await start(redis.url);
    remote = await start(proxy.url);
  });
  afterAll(async () => {
    for (const { connection } of instances) connection.onApplicationShutdown();
    await proxy.cut();
    await redis.stop();
  });

  const someone = (role: UserPrincipal['role'] = 'member') => ({ type: 'user', userId: randomUUID(), sessionId: randomUUID(), role }) as const;
  const someKey = (userId: string | null = randomUUID()): ApiKeyPrincipal => ({
    type: 'api-key', apiKeyId: randomUUID(), userId, role: userId === null ? null : 'admin', scopes: ['servers:read'], resource: { type: 'server', id: '7' },
  });
  const good = <P>(principal: P): (() => Promise<Checked<P>>) => jest.fn(() => Promise.resolve({ principal, expiresAt: Infinity }));
  const ended = () => jest.fn(() => Promise.resolve(null));
  const held = <P>(principal: P): HeldReading<P> => {
    let begin = (): void => undefined;
    let end = (): void => undefined;
    const begun = new Promise<void>((resolve) => { begin = resolve; });
    const ending = new Promise<void>((resolve) => { end = resolve; });
    return { begun, end, load: async () => { begin(); await ending; return { principal, expiresAt: Infinity }; } };
  };
  const ask = ({ cache }: Instance, who: UserPrincipal & { sessionId: string }, load: Load<UserPrincipal>) => cache.session(who.sessionId, who.userId, load);
  const keyOf = async (holder: string): Promise<string> => {
    const [key] = await redis.client.keys(`gatehouse:*:principals:${holder}`);
    return key ?? '';
  };

  describe('a reading', () => {
    it.each<[string, Principal]>([['a session', someone('owner')], ['an API key', someKey()], ['a key of the instance', someKey(null)]])(
      'of %s serves all instances',
      async (_, principal) => {
        const find = ({ cache }: Instance, load: Load<never>) =>
          principal.type === 'user' ? cache.session(String(principal.sessionId), principal.userId, load) : cache.apiKey(`hash of ${principal.apiKeyId}`, load);
        // Whose an API key is, each instance finds out for itself.
        for (const instance of [one, other, one]) expect(await find(instance, good(principal as never))).toEqual(principal);
        for (const instance of [one, other]) {
          const load = ended();
          expect(await find(instance, load)).toEqual(principal);
          expect(load).not.toHaveBeenCalled();
        }
      },
    );

    it('is good for one lease from before it, however often the user is read again', async () => {
      const who = someone();
      await ask(one, who, good(who));
      await ask(one, who, ended());
      const key = await keyOf(who.userId);
      expect(await redis.client.pttl(key)).toBeGreaterThan(0);
      expect(await redis.client.pttl(key)).toBeLessThanOrEqual(LEASE_MS);
      await redis.client.pexpire(key, 1_000);
      const elsewhere = { ...who, sessionId: randomUUID() };
      await ask(other, elsewhere, good(elsewhere));
      expect(await ask(other, elsewhere, ended())).toEqual(elsewhere);
      expect(await redis.client.pttl(key)).toBeLessThanOrEqual(1_000);
    });

    it('is not kept when it took longer than a lease', async () => {
      const who = someone();
      const reading = held(who);
      const asked = ask(one, who, reading.load);
      await reading.begun;
      const key = await keyOf(who.userId);
      await redis.client.pexpire(key, 0);
      reading.end();
      expect(await asked).toEqual(who);
      expect(await ask(one, who, ended())).toBeNull();
    });

    it('is not kept of a credential that ends within a lease, or is not the one that was asked for', async () => {
      const who = someone();
      await ask(one, who, () => Promise.resolve({ principal: who, expiresAt: Date.now() + LEASE_MS - 1 }));
      expect(await ask(one, who, ended())).toBeNull();
      await ask(one, who, good({ ...who, userId: randomUUID() }));
      expect(await ask(one, who, ended())).toBeNull();
    });
  });

  describe('a revocation', () => {
    const revocations: [string, (cache: PrincipalCache, who: UserPrincipal & { sessionId: string }) => Promise<void>][] = [
      ['of the session', (cache, who) => cache.forgetSession(who.userId, who.sessionId)],
      ['of all that is the user’s', (cache, who) => cache.forgetUser(who.userId)],
      ['of a key of the user', (cache, who) => cache.forgetApiKey(who.userId, randomUUID())],
    ];

    it.each(revocations)('%s counts on all instances', async (_, revoke) => {
      const who = someone();
      await ask(one, who, good(who));
      await revoke(other.cache, who);
      for (const instance of [one, other]) expect(await ask(instance, who, ended())).toBeNull();
    });

    it('reaches a user’s keys, and nobody else’s', async () => {
      const [mine, another, instances] = [someKey(), someKey(), someKey(null)];
      for (const key of [mine, another, instances]) {
        for (let n = 0; n < 2; n++) await one.cache.apiKey(key.apiKeyId, good(key));
      }
      await other.cache.forgetUser(String(mine.userId));
      expect(await one.cache.apiKey(mine.apiKeyId, ended())).toBeNull();
      expect(await one.cache.apiKey(another.apiKeyId, ended())).toEqual(another);
      expect(await one.cache.apiKey(instances.apiKeyId, ended())).toEqual(instances);
      await other.cache.forgetApiKey(null, instances.apiKeyId);
      expect(await one.cache.apiKey(instances.apiKeyId, ended())).toBeNull();
    });

    it('outlives a reading that began before it', async () => {
      const who = someone();
      const reading = held(who);
      const asked = ask(one, who, reading.load);
      await reading.begun;
      await other.cache.forgetSession(who.userId, who.sessionId);
      reading.end();
      await asked;
      for (const instance of [one, other]) expect(await ask(instance, who, ended())).toBeNull();
    });

    it('outlives it when others have read since, and Redis was emptied in between', async () => {
      for (const emptied of [false, true]) {
        const who = someone();
        const reading = held(who);
        const asked = ask(one, who, reading.load);
        await reading.begun;
        await other.cache.forgetUser(who.userId);
        if (emptied) await redis.client.flushall();
        // Whoever asks now begins anew.
        await ask(other, who, ended());
        reading.end();
        await asked;
        for (const instance of [one, other]) expect(await ask(instance, who, ended())).toBeNull();
      }
    });

    it('outlives it when the reading is of an API key whose user is changed', async () => {
      const key = someKey();
      const hash = key.apiKeyId;
      await one.cache.apiKey(hash, good(key));
      const reading = held(key);
      const asked = one.cache.apiKey(hash, reading.load);
      await reading.begun;
      await other.cache.forgetUser(String(key.userId));
      reading.end();
      await asked;
      for (const instance of [one, other]) expect(await instance.cache.apiKey(hash, ended())).toBeNull();
    });

    it('outlives what Redis reads back from its disk', async () => {
      const who = someone();
      await ask(one, who, good(who));
      await ask(one, who, ended());
      await redis.client.save();
      await other.cache.forgetSession(who.userId, who.sessionId);
      await redis.kill();
      await redis.start();
      // It is there again, under a name that nobody asks for any more.
      expect(await redis.client.hexists(await keyOf(who.userId), `s:${who.sessionId}`)).toBe(1);
      await eventually(() => { expect([one.connection.isUp, other.connection.isUp]).toEqual([true, true]); });
      for (const instance of [one, other]) expect(await ask(instance, who, ended())).toBeNull();
    });

    it('is answered when the last lease has run out, where Redis cannot be told', async () => {
      const who = someone();
      await ask(one, who, good(who));
      await proxy.cut();
      const revocation = { answered: false };
      const revoked = remote.cache.forgetSession(who.userId, who.sessionId).then(() => { revocation.answered = true; });
      let accepted = 0;
      for (let wasAnswered = false; !wasAnswered; ) {
        wasAnswered = revocation.answered;
        const found = await ask(one, who, ended());
        if (wasAnswered) expect(found).toBeNull();
        else if (found !== null) accepted += 1;
      }
      await revoked;
      expect(accepted).toBeGreaterThan(0);
      await proxy.restore();
    }, 20_000);

    it('is answered as soon as Redis can be told', async () => {
      const who = someone();
      await eventually(() => { expect(remote.connection.isUp).toBe(true); });
      await proxy.cut();
      await ask(one, who, good(who));
      const key = await keyOf(who.userId);
      const revoked = remote.cache.forgetSession(who.userId, who.sessionId);
      // So that it is not the end of the lease that is waited for.
      await redis.client.persist(key);
      await proxy.restore();
      await revoked;
      expect(await redis.client.exists(key)).toBe(0);
    });
  });

  describe('what is not an entry', () => {
    it.each([
      'garbage', '', '{}', 'null', '[]', '"owner"', 'superuser', '{"role":"owner"}',
      '{"apiKeyId":1,"role":"admin","scopes":["*"],"resource":null}', '{"apiKeyId":"x","role":null,"scopes":["*"],"resource":null}',
      '{"apiKeyId":"x","role":"admin","scopes":"*","resource":null}', '{"apiKeyId":"x","role":"admin","scopes":["*"],"resource":{}}',
      '{"apiKeyId":"x","role":"admin","scopes":["*"]}',
    ])('lets nobody in: %s', async (garbage) => {
      const who = someone();
      const key = someKey(who.userId);
      await ask(one, who, good(who));
      await one.cache.apiKey(key.apiKeyId, good(key));
      await one.cache.apiKey(key.apiKeyId, good(key));
      const name = await keyOf(who.userId);
      expect(await redis.client.hset(name, { [`s:${who.sessionId}`]: garbage, [`k:${key.apiKeyId}`]: garbage })).toBe(0);
      expect(await ask(one, who, ended())).toBeNull();
      expect(await one.cache.apiKey(key.apiKeyId, ended())).toBeNull();
    });

    it('is another kind of value under the same name', async () => {
      const who = someone();
      await ask(one, who, good(who));
      const name = await keyOf(who.userId);
      await redis.client.set(name, 'garbage');
      expect(await ask(one, who, good(who))).toEqual(who);
      expect(await ask(one, who, ended())).toBeNull();
      await other.cache.forgetUser(who.userId);
      expect(await redis.client.exists(name)).toBe(0);
    });
  });

  describe('a Redis that refuses to write', () => {
    it('is not needed to answer, and still takes revocations, when it is full', async () => {
      const [known, unknown] = [someone(), someone()];
      await ask(one, known, good(known));
      await redis.client.config('SET', 'maxmemory', '1');
      expect(await ask(one, unknown, good(unknown))).toEqual(unknown);
      expect(await ask(one, unknown, ended())).toBeNull();
      await other.cache.forgetUser(known.userId);
      expect(await ask(one, known, ended())).toBeNull();
      await redis.client.config('SET', 'maxmemory', '0');
    });

    it('is left when it has become a replica, and taken again when it is a primary', async () => {
      await redis.client.replicaof('127.0.0.1', '1');
      const who = someone();
      expect(await ask(one, who, good(who))).toEqual(who);
      expect(one.connection.isUp).toBe(false);
      await redis.client.replicaof('NO', 'ONE');
      await eventually(() => { expect(one.connection.isUp).toBe(true); });
      await ask(one, who, good(who));
      expect(await ask(one, who, ended())).toEqual(who);
    });
  });
});
