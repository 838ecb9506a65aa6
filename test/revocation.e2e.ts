import type { Api, RequestOptions } from './support/client.js';
import { Hammer } from './support/hammer.js';
import { decodeJwt } from './support/jwt.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'a member of the house';

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

describe.each([
  ['two processes that ask PostgreSQL', 'off', 2],
  ['one process that remembers', 'memory', 1],
])('revocation with %s', (_, cache, processes) => {
  let suite: Suite;
  let servers: Api[];
  let owner: string;
  let count = 0;

  beforeAll(async () => {
    suite = await startSuite({ PRINCIPAL_CACHE: cache });
    servers = [suite.api];
    while (servers.length < processes) servers.push(await suite.startAnother());
    owner = (await suite.api.login(OWNER.email, OWNER.password)).accessToken;
  });
  afterAll(() => suite.stop());

  const person = async (): Promise<Person> => {
    const username = `person${String(count++)}`;
    const { id } = await suite.api.createUser(owner, { username, password: PASSWORD });
    const { accessToken, refreshToken } = await suite.api.login(username, PASSWORD);
    const elsewhere = (await suite.api.login(username, PASSWORD)).accessToken;
    const { key, id: keyId } = await suite.api.createKey(elsewhere, ['servers:read']);
    return { id, username, accessToken, refreshToken, sessionId: String(decodeJwt(accessToken).claims['sid']), elsewhere, key, keyId };
  };

  it.each(ENDINGS)('is complete when the answer comes: %s', async (_, credential, end) => {
    const target = await person();
    const [path, options]: [string, RequestOptions] = credential === 'session'
      ? ['GET /auth/me', { token: target.accessToken }]
      : ['GET /api-keys/current', { apiKey: target.key }];
    const hammer = new Hammer(servers, path, options);
    await hammer.untilAccepted(20);
    const { status } = await end(suite.api, target, owner);
    const answeredAt = performance.now();
    await hammer.stopAfter(150);
    expect(status).toBeLessThan(300);
    expect(hammer.accepted.length).toBeGreaterThanOrEqual(20);
    expect(hammer.statusesAfter(answeredAt)).toEqual([401]);
  });

  it('takes the role away at once, too', async () => {
    const target = await person();
    await suite.api.call(`PATCH /users/${target.id}`, { token: owner, json: { role: 'admin' } });
    const hammer = new Hammer(servers, 'GET /users', { token: target.accessToken });
    await hammer.untilAccepted(20);
    await suite.api.call(`PATCH /users/${target.id}`, { token: owner, json: { role: 'member' } });
    const answeredAt = performance.now();
    await hammer.stopAfter(150);
    expect(hammer.statusesAfter(answeredAt)).toEqual([403]);
  });
});
