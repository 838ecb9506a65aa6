import type { Api, RequestOptions } from './support/client.js';
import { Hammer } from './support/hammer.js';
import { decodeJwt } from './support/jwt.js';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'a member of the house';
/** How often each ending is tried, at once. */
const TIMES = 2;
/** How many requests are sent, at the least, after each one's answer. */
const REQUESTS_AFTER = 25;

interface Person {
  id: string;
  username: string;
  /** The credential under fire. */
  accessToken: string;
  refreshToken: string;
  sessionId: string;
  /** Another session of the same person. */
  elsewhere: string;
  key: string;
  keyId: string;
}

/** What ends a credential, done through the first server. */
const ENDINGS: [string, 'session' | 'key', (api: Api, person: Person, owner: string) => Promise<{ status: number }>][] = [
  ['a logout', 'session', (api, { accessToken }) => api.call('POST /auth/logout', { token: accessToken })],
  ['the end of that session', 'session', (api, { elsewhere, sessionId }) => api.call(`DELETE /auth/sessions/${sessionId}`, { token: elsewhere })],
  ['the end of all other sessions', 'session', (api, { elsewhere }) => api.call('DELETE /auth/sessions', { token: elsewhere })],
  ['a change of the password', 'session', (api, { elsewhere }) =>
    api.call('POST /auth/me/password', { token: elsewhere, json: { currentPassword: PASSWORD, newPassword: 'quite another one' } })],
  ['a password set by an administrator', 'session', (api, { id }, owner) =>
    api.call(`POST /users/${id}/password`, { token: owner, json: { password: 'quite another one' } })],
  ['a sign-out by an administrator', 'session', (api, { id }, owner) => api.call(`DELETE /users/${id}/sessions`, { token: owner })],
  ['the disabling of the account', 'session', (api, { id }, owner) => api.call(`PATCH /users/${id}`, { token: owner, json: { disabled: true } })],
  ['the deletion of the account', 'session', (api, { id }, owner) => api.call(`DELETE /users/${id}`, { token: owner })],
  ['the reuse of a refresh token', 'session', async (api, { refreshToken }) => {
    const next = await api.call('POST /auth/refresh', { json: { refreshToken } });
    await api.call('POST /auth/refresh', { json: { refreshToken: next.body.refreshToken } });
    const reused = await api.call('POST /auth/refresh', { json: { refreshToken } });
    return { status: reused.status === 401 ? 204 : reused.status };
  }],
  ['the revocation of the key', 'key', (api, { elsewhere, keyId }) => api.call(`DELETE /api-keys/${keyId}`, { token: elsewhere })],
  ['the rotation of the key', 'key', (api, { elsewhere, keyId }) => api.call(`POST /api-keys/${keyId}/rotate`, { token: elsewhere, json: {} })],
  ['the disabling of the key’s user', 'key', (api, { id }, owner) => api.call(`PATCH /users/${id}`, { token: owner, json: { disabled: true } })],
  ['the deletion of the key’s user', 'key', (api, { id }, owner) => api.call(`DELETE /users/${id}`, { token: owner })],
];

describe('revocation with two processes that ask PostgreSQL', () => { isStrict('off', 2); });
describe('revocation with one process that remembers', () => { isStrict('memory', 1); });
describeWithRedis('revocation.e2e.ts')('revocation with two processes that remember in Redis', () => { isStrict('redis', 2); });

function isStrict(cache: 'off' | 'memory' | 'redis', processes: number): void {
  let redis: TestRedis | null = null;
  let suite: Suite;
  let servers: Api[];
  let owner: string;
  let count = 0;
  const totals = { revocations: 0, requestsAfter: 0, accepted: 0 };

  beforeAll(async () => {
    if (cache === 'redis') redis = await startRedis();
    suite = await startSuite({ PRINCIPAL_CACHE: cache, REDIS_URL: redis?.url });
    servers = [suite.api];
    while (servers.length < processes) servers.push(await suite.startAnother());
    owner = (await suite.api.login(OWNER.email, OWNER.password)).accessToken;
  });
  afterAll(async () => {
    await suite.stop();
    await redis?.stop();
    const { revocations, requestsAfter, accepted } = totals;
    process.stderr.write(
      `Revocation, PRINCIPAL_CACHE=${cache}, instances: ${String(processes)}: ` +
        `${String(revocations)} revocations, ${String(requestsAfter)} requests after them, ${String(accepted)} accepted\n`,
    );
  });

  const person = async (): Promise<Person> => {
    const username = `person${String(count++)}`;
    const { id } = await suite.api.createUser(owner, { username, password: PASSWORD });
    const { accessToken, refreshToken } = await suite.api.login(username, PASSWORD);
    const elsewhere = (await suite.api.login(username, PASSWORD)).accessToken;
    const { key, id: keyId } = await suite.api.createKey(elsewhere, ['servers:read']);
    return { id, username, accessToken, refreshToken, sessionId: String(decodeJwt(accessToken).claims['sid']), elsewhere, key, keyId };
  };

  /** Uses a credential on all servers before, while and after it is ended. */
  const useAndEnd = async (target: Person, credential: 'session' | 'key', end: () => Promise<{ status: number }>): Promise<void> => {
    const [path, options]: [string, RequestOptions] = credential === 'session'
      ? ['GET /auth/me', { token: target.accessToken }]
      : ['GET /api-keys/current', { apiKey: target.key }];
    const hammer = new Hammer(servers, path, options, 2);
    await hammer.untilAccepted(20);
    const { status } = await end();
    const answeredAt = performance.now();
    await hammer.untilSentAfter(answeredAt, REQUESTS_AFTER);
    await hammer.stop();
    totals.revocations += 1;
    totals.requestsAfter += hammer.sentAfter(answeredAt).length;
    totals.accepted += hammer.sentAfter(answeredAt).filter((answer) => answer.status === 200).length;
    expect(status).toBeLessThan(300);
    expect(hammer.statusesAfter(answeredAt)).toEqual([401]);
  };

  it.each(ENDINGS)('is complete when the answer comes: %s', async (_, credential, end) => {
    const targets = await Promise.all(Array.from({ length: TIMES }, person));
    await Promise.all(targets.map((target) => useAndEnd(target, credential, () => end(suite.api, target, owner))));
  });

  it('takes the role away at once, too', async () => {
    const target = await person();
    await suite.api.call(`PATCH /users/${target.id}`, { token: owner, json: { role: 'admin' } });
    const hammer = new Hammer(servers, 'GET /users', { token: target.accessToken });
    await hammer.untilAccepted(20);
    await suite.api.call(`PATCH /users/${target.id}`, { token: owner, json: { role: 'member' } });
    const answeredAt = performance.now();
    await hammer.untilSentAfter(answeredAt, REQUESTS_AFTER);
    await hammer.stop();
    expect(hammer.statusesAfter(answeredAt)).toEqual([403]);
  });
}
