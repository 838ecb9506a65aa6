import { randomUUID } from 'node:crypto';
import { type Api } from './support/client.js';
import { decodeJwt } from './support/jwt.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'a member of the house';

describe('sessions', () => {
  let suite: Suite;
  let api: Api;
  let owner: string;
  let count = 0;

  beforeAll(async () => {
    suite = await startSuite();
    api = suite.api;
    owner = (await api.login(OWNER.email, OWNER.password)).accessToken;
  });
  afterAll(() => suite.stop());

  /** Signs a new member in some times; the sessions in that order. */
  const signIns = async (times: number) => {
    const email = `member${String(count++)}@example.com`;
    await api.createUser(owner, { email, password: PASSWORD });
    const sessions: { accessToken: string; refreshToken: string; id: string }[] = [];
    for (let n = 0; n < times; n++) {
      const tokens = await api.login(email, PASSWORD);
      sessions.push({ ...tokens, id: String(decodeJwt(tokens.accessToken).claims['sid']) });
    }
    return sessions as [typeof sessions[number], ...typeof sessions];
  };
  const me = async (token: string): Promise<number> => (await api.call('GET /auth/me', { token })).status;
  const refresh = async (refreshToken: string): Promise<number> => (await api.call('POST /auth/refresh', { json: { refreshToken } })).status;
  const idsOf = async (token: string): Promise<string[]> =>
    (await api.call('GET /auth/sessions', { token })).body.items.map((session: { id: string }) => session.id);

  it('are listed newest first, with where they are from and which is this one', async () => {
    const [first, second] = await signIns(2);
    const { status, body } = await api.call('GET /auth/sessions', { token: first.accessToken });
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [second?.id, first.id].map((id) => ({
        id, current: id === first.id, createdAt: expect.any(String), lastUsedAt: expect.any(String), expiresAt: expect.any(String),
        ipAddress: '127.0.0.1', userAgent: 'node', dialect: null,
      })),
      nextCursor: null,
    });
  });

  it('are listed in pages', async () => {
    const [first, ...others] = await signIns(3);
    const page = await api.call('GET /auth/sessions?limit=2', { token: first.accessToken });
    const rest = await api.call(`GET /auth/sessions?limit=2&cursor=${page.body.nextCursor as string}`, { token: first.accessToken });
    const ids = [...page.body.items, ...rest.body.items].map((session: { id: string }) => session.id);
    expect(ids).toEqual([...others.map(({ id }) => id).reverse(), first.id]);
    expect(rest.body.nextCursor).toBeNull();
  });

  it('leave the list when they have expired', async () => {
    const [first, second] = await signIns(2);
    await suite.database.pool.query(`UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = $1`, [second?.id]);
    expect(await idsOf(first.accessToken)).toEqual([first.id]);
    expect(await me(second!.accessToken)).toBe(401);
    expect((await api.call(`DELETE /auth/sessions/${second!.id}`, { token: first.accessToken })).status).toBe(404);
  });

  it('are ended one by one', async () => {
    const [first, second, third] = await signIns(3);
    expect((await api.call(`DELETE /auth/sessions/${second!.id.toUpperCase()}`, { token: first.accessToken })).status).toBe(204);
    expect([await me(second!.accessToken), await refresh(second!.refreshToken)]).toEqual([401, 401]);
    expect([await me(first.accessToken), await me(third!.accessToken)]).toEqual([200, 200]);
    expect((await api.call(`DELETE /auth/sessions/${second!.id}`, { token: first.accessToken })).status).toBe(404);
  });

  it('are ended all but this one', async () => {
    const [first, second, third] = await signIns(3);
    expect((await api.call('DELETE /auth/sessions', { token: second!.accessToken })).status).toBe(204);
    expect(await idsOf(second!.accessToken)).toEqual([second!.id]);
    for (const ended of [first, third!]) expect([await me(ended.accessToken), await refresh(ended.refreshToken)]).toEqual([401, 401]);
    expect(await me(owner)).toBe(200);
  });

  it.each([
    ['somebody else’s', async () => (await signIns(1))[0].id, 404],
    ['one that there never was', () => Promise.resolve(randomUUID()), 404],
    ['no UUID', () => Promise.resolve('1%20OR%201=1'), 422],
  ])('are not ended by an id that is %s', async (_, idOf, status) => {
    const [mine] = await signIns(1);
    expect((await api.call(`DELETE /auth/sessions/${await idOf()}`, { token: mine.accessToken })).status).toBe(status);
  });

  it('of somebody else live on when somebody tries', async () => {
    const [theirs] = await signIns(1);
    const [mine] = await signIns(1);
    await api.call(`DELETE /auth/sessions/${theirs.id}`, { token: mine.accessToken });
    expect(await me(theirs.accessToken)).toBe(200);
  });

  it('end with a logout, access and refresh token both', async () => {
    const [mine, other] = await signIns(2);
    const logout = await api.call('POST /auth/logout', { token: mine.accessToken });
    expect({ status: logout.status, body: logout.body }).toEqual({ status: 204, body: '' });
    expect([await me(mine.accessToken), await refresh(mine.refreshToken)]).toEqual([401, 401]);
    const again = await api.call('POST /auth/logout', { token: mine.accessToken });
    expect(again.status).toBe(401);
    expect(again.headers.get('www-authenticate')).toBe('Bearer realm="gatehouse", error="invalid_token"');
    expect(await me(other!.accessToken)).toBe(200);
  });

  it('are logged out of by many requests at once without an error', async () => {
    const [mine] = await signIns(1);
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.call('POST /auth/logout', { token: mine.accessToken })));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 204 && status !== 401)).toEqual([]);
    expect(statuses).toContain(204);
    expect(await me(mine.accessToken)).toBe(401);
  });

  it('end when the account is deleted', async () => {
    const [mine] = await signIns(1);
    const { body } = await api.call('GET /auth/me', { token: mine.accessToken });
    await api.call(`DELETE /users/${body.id as string}`, { token: owner });
    expect([await me(mine.accessToken), await refresh(mine.refreshToken)]).toEqual([401, 401]);
  });
});
