import { type Api, eventually } from './support/client.js';
import { decodeJwt } from './support/jwt.js';
import { sendTogether } from './support/pipelined.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const HOUR = 3600;
const DAY = 24 * HOUR;

describe('refresh', () => {
  let suite: Suite;
  let api: Api;

  beforeAll(async () => {
    // A session is held while others are looked at.
    suite = await startSuite({ DATABASE_QUERY_TIMEOUT_MS: '10000' });
    api = suite.api;
  });
  afterAll(() => suite.stop());

  const signIn = async (more: object = {}) => {
    const tokens = await api.login(OWNER.email, OWNER.password, more);
    return { ...tokens, id: String(decodeJwt(tokens.accessToken).claims['sid']) };
  };
  const refresh = (refreshToken: unknown) => api.call('POST /auth/refresh', { json: { refreshToken } });
  const me = async (token: string): Promise<number> => (await api.call('GET /auth/me', { token })).status;
  /** Moves a session's times back. */
  const age = (id: string, column: 'rotated_at' | 'expires_at' | 'created_at', seconds: number) =>
    suite.database.pool.query(`UPDATE sessions SET ${column} = ${column} - make_interval(secs => $2) WHERE id = $1`, [id, seconds]);
  const secondsLeft = async (id: string): Promise<number> => {
    const { rows } = await suite.database.pool.query<{ left: string }>('SELECT extract(epoch FROM expires_at - now()) AS left FROM sessions WHERE id = $1', [id]);
    return Number(rows[0]?.left);
  };
  const expectRefused = (answer: { status: number; headers: Headers; body: { code: string } }) => {
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 401, code: 'invalid_grant' });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="gatehouse", error="invalid_token"');
  };

  it('gives a new pair of the same session', async () => {
    const first = await signIn();
    const { status, body, headers } = await refresh(first.refreshToken);
    expect(status).toBe(200);
    expect(body).toEqual({ accessToken: expect.any(String), refreshToken: expect.any(String), tokenType: 'Bearer', expiresIn: 900 });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body.refreshToken).not.toBe(first.refreshToken);
    const { claims } = decodeJwt(body.accessToken);
    expect(claims).toMatchObject({ sid: first.id, sub: first.user.id });
    expect(claims['jti']).not.toBe(decodeJwt(first.accessToken).claims['jti']);
    expect([await me(first.accessToken), await me(body.accessToken)]).toEqual([200, 200]);
  });

  it('gives the same successor to whoever asks again within the grace', async () => {
    const { refreshToken } = await signIn();
    const successor = (await refresh(refreshToken)).body.refreshToken;
    for (let again = 0; again < 3; again++) expect((await refresh(refreshToken)).body.refreshToken).toBe(successor);
    expect((await refresh(successor)).status).toBe(200);
  });

  it('gives it to each of two that come in one piece, and rotates once', async () => {
    const { refreshToken, id } = await signIn();
    const requests = [refreshToken, refreshToken].map((one) => ({ path: '/api/v1/auth/refresh', json: { refreshToken: one } }));
    const answers = await sendTogether(suite.gatehouse.url, requests);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[0]?.body.refreshToken).toBe(answers[1]?.body.refreshToken);
    const { rows } = await suite.database.pool.query('SELECT refresh_counter FROM sessions WHERE id = $1', [id]);
    expect(rows).toEqual([{ refresh_counter: 1 }]);
  });

  it('waits for who holds a session, and lets no other session wait', async () => {
    const [held, free] = [await signIn(), await signIn()];
    const counterOf = async ({ id }: { id: string }): Promise<number | undefined> => {
      const { rows } = await suite.database.pool.query<{ refresh_counter: number }>('SELECT refresh_counter FROM sessions WHERE id = $1', [id]);
      return rows[0]?.refresh_counter;
    };
    const holder = await suite.database.pool.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT FROM sessions WHERE id = $1 FOR UPDATE', [held.id]);
      const requests = [held, free].map(({ refreshToken }) => ({ path: '/api/v1/auth/refresh', json: { refreshToken } }));
      const answers = sendTogether(suite.gatehouse.url, requests);
      await eventually(async () => { expect(await counterOf(free)).toBe(1); });
      expect(await counterOf(held)).toBe(0);
      await holder.query('COMMIT');
      expect((await answers).map(({ status }) => status)).toEqual([200, 200]);
      expect(await counterOf(held)).toBe(1);
    } finally {
      holder.release(true);
    }
  });

  it('ends the session when the grandparent comes back, even within the grace', async () => {
    const { refreshToken, accessToken } = await signIn();
    const child = (await refresh(refreshToken)).body.refreshToken;
    const grandchild = (await refresh(child)).body.refreshToken;
    expectRefused(await refresh(refreshToken));
    expectRefused(await refresh(grandchild));
    expectRefused(await refresh(child));
    expect(await me(accessToken)).toBe(401);
  });

  it('ends the session when the parent comes back after the grace, with an event, and no other session', async () => {
    const other = await signIn();
    const robbed = await signIn();
    const successor = (await refresh(robbed.refreshToken)).body;
    await age(robbed.id, 'rotated_at', 11);
    expectRefused(await refresh(robbed.refreshToken));
    expect([await me(robbed.accessToken), await me(successor.accessToken), await me(other.accessToken)]).toEqual([401, 401, 200]);
    expectRefused(await refresh(successor.refreshToken));
    const { body } = await api.call('GET /audit-events?action=refresh.reused&limit=1', { token: other.accessToken });
    expect(body.items[0]).toMatchObject({
      outcome: 'failure', subject: { type: 'user', id: robbed.user.id }, ipAddress: '127.0.0.1', detail: { sessionId: robbed.id },
    });
    expect((await refresh(other.refreshToken)).status).toBe(200);
  });

  it('is refused once the session has expired', async () => {
    const { refreshToken, accessToken, id } = await signIn();
    await age(id, 'expires_at', 25 * HOUR);
    expectRefused(await refresh(refreshToken));
    expect(await me(accessToken)).toBe(401);
  });

  it('is refused to a disabled account, and still after it is enabled again', async () => {
    const owner = await signIn();
    const user = await api.createUser(owner.accessToken, { username: 'suspended', password: 'some member here' });
    const { refreshToken } = await api.login('suspended', 'some member here');
    await api.call(`PATCH /users/${user.id as string}`, { token: owner.accessToken, json: { disabled: true } });
    expectRefused(await refresh(refreshToken));
    await api.call(`PATCH /users/${user.id as string}`, { token: owner.accessToken, json: { disabled: false } });
    expectRefused(await refresh(refreshToken));
  });

  it.each([
    ['a plain session', {}, DAY],
    ['a remembered one', { rememberMe: true }, 30 * DAY],
  ])('renews the lifetime of %s', async (_, more, lifetime) => {
    const { refreshToken, id } = await signIn(more);
    await age(id, 'expires_at', lifetime - HOUR);
    expect(await secondsLeft(id)).toBeLessThanOrEqual(HOUR);
    await refresh(refreshToken);
    expect(Math.abs((await secondsLeft(id)) - lifetime)).toBeLessThan(60);
  });

  it('renews no further than SESSION_MAX_AGE after the login', async () => {
    const { refreshToken, id } = await signIn({ rememberMe: true });
    await age(id, 'created_at', 89 * DAY);
    const successor = (await refresh(refreshToken)).body.refreshToken;
    expect(Math.abs((await secondsLeft(id)) - DAY)).toBeLessThan(60);
    await age(id, 'created_at', DAY);
    await refresh(successor);
    expect(await secondsLeft(id)).toBeLessThanOrEqual(0);
    expectRefused(await refresh(successor));
  });

  it('is refused with anything that is not a refresh token of ours', async () => {
    const { refreshToken, accessToken, id } = await signIn();
    const [session = '', counter = '', mac = ''] = refreshToken.split('.');
    const other = (await signIn()).refreshToken.split('.')[0] ?? '';
    const garbage = [
      'x', '\0', 'a.b.c', '..', `${'A'.repeat(22)}.0.${'A'.repeat(43)}`, 'x'.repeat(500_000), accessToken,
      `${session}.1.${mac}`, `${session}.00.${mac}`, `${session}.-1.${mac}`, `${session}.${counter}`, `${other}.${counter}.${mac}`,
      `${refreshToken}.`, ` ${refreshToken}`, `${refreshToken}=`, `${refreshToken}\n`, `${session}.${counter}.${mac.slice(0, -1)}`,
      // The last character has two bits to spare: another spelling of the same MAC is none of ours.
      `${session}.${counter}.${mac.slice(0, -1)}${String.fromCharCode(mac.charCodeAt(42) + 1)}`,
      `${session}.${counter}.${'A'.repeat(43)}`,
    ];
    for (const text of garbage) expectRefused(await refresh(text));
    expect(await secondsLeft(id)).toBeGreaterThan(0);
    expect((await refresh(refreshToken)).status).toBe(200);
  });

  it.each([['nothing', {}], ['an empty text', { refreshToken: '' }], ['a number', { refreshToken: 7 }], ['null', { refreshToken: null }]])(
    'names the field when the body has %s', async (_, json) => {
      const { status, body } = await api.call('POST /auth/refresh', { json });
      expect({ status, field: body.errors[0].field }).toEqual({ status: 422, field: 'refreshToken' });
    });

  it('does not take a refresh token for an access token', async () => {
    const { refreshToken } = await signIn();
    const { status, headers } = await api.call('GET /auth/me', { token: refreshToken });
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toContain('error="invalid_token"');
  });
});
