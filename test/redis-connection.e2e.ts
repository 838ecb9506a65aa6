import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Api, eventually, send } from './support/client.js';
import { embeddedIn, makeDirectory } from './support/directory.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.js';
import { OWNER, startSuite, type Suite, WITH_OWNER } from './support/suite.js';

const PASSWORD = 'p@ss/word:of?Redis';

describeWithRedis('redis-connection.e2e.ts')('a server with REDIS_URL', () => {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const clean of cleanUp.splice(0).reverse()) await clean();
  });

  const startedRedis = async (options?: Parameters<typeof startRedis>[0]): Promise<TestRedis> => {
    const redis = await startRedis(options);
    cleanUp.push(() => redis.stop());
    return redis;
  };
  const startedSuite = async (env: Record<string, string>): Promise<Suite> => {
    const suite = await startSuite(env);
    cleanUp.push(() => suite.stop());
    return suite;
  };
  const cacheBecomes = (state: string, { url }: Gatehouse) => eventually(async () => {
    const { status, body } = await send(`GET ${url}/health/ready`);
    expect([status, body.status, body.checks.cache]).toEqual([200, 'ready', state]);
  });
  /** Signs in, and is let in. */
  const worksFor = async (api: Api): Promise<string> => {
    const { accessToken: token } = await api.login(OWNER.email, OWNER.password);
    for (let n = 0; n < 2; n++) expect((await api.call('GET /auth/me', { token })).status).toBe(200);
    return token;
  };
  /** And signs out, and is not let in any more. */
  const revokesFor = async (api: Api): Promise<void> => {
    const token = await worksFor(api);
    expect((await api.call('POST /auth/logout', { token })).status).toBe(204);
    expect((await api.call('GET /auth/me', { token })).status).toBe(401);
  };
  const keysIn = async (redis: TestRedis): Promise<number> => (await redis.client.keys('gatehouse:*')).length;

  it('starts while Redis is away, and uses it when it comes', async () => {
    const redis = await startedRedis();
    await redis.kill();
    const { gatehouse, api } = await startedSuite({ REDIS_URL: redis.url });
    expect(gatehouse.output()).toContain('Redis is away (ECONNREFUSED)');
    await cacheBecomes('degraded', gatehouse);
    await revokesFor(api);
    await redis.start();
    await cacheBecomes('up', gatehouse);
    await revokesFor(api);
    await worksFor(api);
    expect(gatehouse.output()).toContain('Redis is in use');
    expect(await keysIn(redis)).toBeGreaterThan(0);
  });

  it('works without Redis when the password is wrong, and tells neither password', async () => {
    const redis = await startedRedis({ credentials: `:${encodeURIComponent(PASSWORD)}@`, flags: ['--requirepass', PASSWORD] });
    const url = new URL(redis.url);
    url.password = 'wr0ng-passw0rd';
    const { gatehouse, api } = await startedSuite({ REDIS_URL: url.href });
    await eventually(() => { expect(gatehouse.output()).toContain('Redis is away (WRONGPASS)'); });
    await cacheBecomes('degraded', gatehouse);
    await worksFor(api);
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'wr0ng-passw0rd']) expect(gatehouse.output()).not.toContain(secret);
  });

  it('reaches Redis by TLS, with a user, a password and a database, and only if the certificate is good', async () => {
    const directory = makeDirectory(0o700);
    cleanUp.push(() => { directory.remove(); });
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory.path, name)) as [string, string];
    execFileSync('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-keyout', key, '-out', cert,
      '-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1',
    ], { stdio: 'ignore' });
    const redis = await startedRedis({
      tls: { cert, key },
      credentials: `gate:${encodeURIComponent(PASSWORD)}@`,
      database: 2,
      // No more than the README asks for.
      flags: ['--user', 'gate', 'on', `>${PASSWORD}`, '~gatehouse:*', '+@read', '+@write', '+@scripting', '+@connection'],
    });
    const { gatehouse, api } = await startedSuite({ REDIS_URL: redis.url, NODE_EXTRA_CA_CERTS: cert });
    await cacheBecomes('up', gatehouse);
    await revokesFor(api);
    await worksFor(api);
    // Looked at in the same database, 2.
    expect(await keysIn(redis)).toBeGreaterThan(0);
    expect(gatehouse.output()).not.toContain(encodeURIComponent(PASSWORD));

    const distrustful = await startedSuite({ REDIS_URL: redis.url });
    await cacheBecomes('degraded', distrustful.gatehouse);
    expect(distrustful.gatehouse.output()).toContain('Redis is away (DEPTH_ZERO_SELF_SIGNED_CERT)');
  });

  it('remembers in Redis on the embedded database too', async () => {
    const redis = await startedRedis();
    const directory = makeDirectory();
    const gatehouse = await startGatehouse({ env: { ...embeddedIn(directory.path), ...WITH_OWNER, REDIS_URL: redis.url } });
    cleanUp.push(async () => {
      await gatehouse.stop();
      directory.remove();
    });
    await cacheBecomes('up', gatehouse);
    await revokesFor(new Api(gatehouse));
    await worksFor(new Api(gatehouse));
    expect(await keysIn(redis)).toBeGreaterThan(0);
  });
});
