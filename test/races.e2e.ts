import { type Api, eventually, type Json } from './support/client.js';
import { decodeJwt } from './support/jwt.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'a member of the house';

describe('two processes on one database', () => {
  let suite: Suite;
  let both: [Api, Api];
  let owner: string;
  let count = 0;

  beforeAll(async () => {
    suite = await startSuite({ PRINCIPAL_CACHE: 'off', REGISTRATION: 'open' });
    both = [suite.api, await suite.startAnother()];
    owner = (await suite.api.login(OWNER.email, OWNER.password)).accessToken;
  });
  afterAll(() => suite.stop());

  /** Sends requests all at once, to either server in turn. */
  const spread = (times: number, send: (api: Api, index: number) => Promise<{ status: number; body: Json }>) =>
    Promise.all(Array.from({ length: times }, (_, index) => send(index % 2 === 0 ? both[0] : both[1], index)));
  const tally = (answers: { status: number }[]): Record<number, number> => {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };
  const member = (role = 'member'): Promise<{ id: string; username: string }> =>
    suite.api.createUser(owner, { username: `member${String(count++)}`, password: PASSWORD, role });
  const login = (api: Api, username: string, password: string) => api.call('POST /auth/login', { json: { username, password } });

  it.each([['an account', true], ['an unknown identifier', false]])('let five of a hundred guesses at once through for %s', async (_, known) => {
    const username = known ? (await member()).username : `nobody${String(count++)}`;
    const answers = await spread(100, (api) => login(api, username, 'wrong'));
    expect(tally(answers)).toEqual({ 401: 5, 423: 95 });
    expect(new Set(answers.flatMap(({ body }) => body.lockedUntil ?? [])).size).toBe(1);
    expect((await login(both[0], username, PASSWORD)).status).toBe(423);
  });

  it('let everybody in who has the right password, however many at once', async () => {
    const { username } = await member();
    expect(tally(await spread(12, (api) => login(api, username, PASSWORD)))).toEqual({ 200: 12 });
  });

  it('answer a login whose account is deleted meanwhile like one that names nobody', async () => {
    const { id, username } = await member();
    const deleting = await suite.database.pool.connect();
    await deleting.query('BEGIN');
    await deleting.query('DELETE FROM users WHERE id = $1', [id]);
    const answer = login(both[0], username, PASSWORD);
    const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO login_attempts%'";
    await eventually(async () => { expect((await suite.database.pool.query(waiting)).rowCount).toBe(1); });
    await deleting.query('COMMIT');
    deleting.release();
    expect(await answer).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
  });

  it('let five of many guesses at the current password through in one session', async () => {
    const { username } = await member();
    const { accessToken } = await suite.api.login(username, PASSWORD);
    const answers = await spread(30, (api) =>
      api.call('POST /auth/me/password', { token: accessToken, json: { currentPassword: 'wrong', newPassword: 'quite another one' } }));
    expect(tally(answers)).toEqual({ 422: 5, 423: 25 });
  });

  it('give one successor to fifty uses of one refresh token, and the session lives', async () => {
    const { accessToken, refreshToken } = await suite.api.login(OWNER.email, OWNER.password);
    const answers = await spread(50, (api) => api.call('POST /auth/refresh', { json: { refreshToken } }));
    expect(tally(answers)).toEqual({ 200: 50 });
    const successors = new Set(answers.map(({ body }) => body.refreshToken));
    expect(successors.size).toBe(1);
    const [successor] = successors;
    expect((await both[1].call('GET /auth/me', { token: accessToken })).status).toBe(200);
    expect((await both[1].call('POST /auth/refresh', { json: { refreshToken: successor } })).status).toBe(200);
  });

  it('end a session once when its stolen token comes many times', async () => {
    const { accessToken, refreshToken } = await suite.api.login(OWNER.email, OWNER.password);
    const id = decodeJwt(accessToken).claims['sid'];
    await suite.api.call('POST /auth/refresh', { json: { refreshToken } });
    await suite.database.pool.query(`UPDATE sessions SET rotated_at = rotated_at - interval '11 seconds' WHERE id = $1`, [id]);
    expect(tally(await spread(20, (api) => api.call('POST /auth/refresh', { json: { refreshToken } })))).toEqual({ 401: 20 });
    const { rows } = await suite.database.pool.query(`SELECT 1 FROM audit_events WHERE action = 'refresh.reused' AND detail->>'sessionId' = $1`, [id]);
    expect(rows).toHaveLength(1);
  });

  it('register one of many with the same address', async () => {
    const answers = await spread(8, (api, index) =>
      api.call('POST /auth/register', { json: { email: index % 3 === 0 ? 'SAME@example.com' : 'same@example.com', password: PASSWORD } }));
    expect(tally(answers)).toEqual({ 201: 1, 409: 7 });
    expect(new Set(answers.flatMap(({ body }) => body.code ?? []))).toEqual(new Set(['email_taken']));
  });

  it('let one of two with the same idea change the password', async () => {
    const { username } = await member();
    const sessions = await Promise.all(both.map((api) => api.login(username, PASSWORD)));
    const answers = await spread(2, (api, index) => api.call('POST /auth/me/password', {
      token: sessions[index]!.accessToken, json: { currentPassword: PASSWORD, newPassword: `new password ${String(index)}` },
    }));
    const winner = answers.findIndex(({ status }) => status === 204);
    // The loser was too late for its password, or its session had ended before it was read.
    expect([401, 422]).toContain(answers[1 - winner]?.status);
    expect((await login(both[0], username, `new password ${String(winner)}`)).status).toBe(200);
  });

  it.each<[string, (id: string) => { target: string; json?: object }]>([
    ['demote', (id) => ({ target: `PATCH /users/${id}`, json: { role: 'member' } })],
    ['disable', (id) => ({ target: `PATCH /users/${id}`, json: { disabled: true } })],
    ['delete', (id) => ({ target: `DELETE /users/${id}` })],
  ])('keep an owner when all owners %s each other', async (_, change) => {
    const others = [await member('owner'), await member('owner'), await member('owner')];
    const tokens = await Promise.all(others.map(({ username }, index) => both[index % 2]!.login(username, PASSWORD)));
    // Only these three count: the first owner steps aside for the moment.
    await suite.database.pool.query(`UPDATE users SET role = 'member' WHERE username = $1`, [OWNER.username]);
    const answers = await spread(9, (api, index) => {
      const { target, json } = change(others[(index + 1) % 3]!.id);
      return api.call(target, { token: tokens[index % 3]!.accessToken, ...(json === undefined ? {} : { json }) });
    });
    const { rows } = await suite.database.pool.query(`SELECT 1 FROM users WHERE role = 'owner' AND disabled_at IS NULL`);
    expect(rows.length).toBeGreaterThanOrEqual(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    await suite.database.pool.query(`DELETE FROM users WHERE username <> $1 AND role = 'owner'`, [OWNER.username]);
    await suite.database.pool.query(`UPDATE users SET role = 'owner' WHERE username = $1`, [OWNER.username]);
  });

  it('leave no session to the old password when the password changes in the middle of its logins', async () => {
    const { username, id } = await member();
    const { accessToken } = await suite.api.login(username, PASSWORD);
    let changed: Promise<{ status: number }> | undefined;
    const logins = spread(16, (api, index) => {
      if (index === 6) {
        changed = both[1].call('POST /auth/me/password', { token: accessToken, json: { currentPassword: PASSWORD, newPassword: 'quite another one' } });
      }
      return login(api, username, PASSWORD);
    });
    const answers = await logins;
    expect((await changed)?.status).toBe(204);
    const { rows } = await suite.database.pool.query<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL', [id]);
    expect(rows.map((row) => row.id)).toEqual([decodeJwt(accessToken).claims['sid']]);
    for (const { body, status } of answers) {
      if (status === 200) expect((await both[0].call('GET /auth/me', { token: body.accessToken })).status).toBe(401);
    }
    expect([...new Set(answers.map(({ status }) => status))].filter((status) => ![200, 401, 423].includes(status))).toEqual([]);
  });

  it('leave no session to an account that is disabled in the middle of its logins', async () => {
    const { username, id } = await member();
    const logins = spread(12, (api) => login(api, username, PASSWORD));
    await eventually(async () => {
      const { rows } = await suite.database.pool.query('SELECT 1 FROM sessions WHERE user_id = $1', [id]);
      expect(rows.length).toBeGreaterThan(1);
    });
    expect((await both[1].call(`PATCH /users/${id}`, { token: owner, json: { disabled: true } })).status).toBe(200);
    const answers = await logins;
    expect(Object.keys(tally(answers)).sort()).toEqual(['200', '403']);
    const { rows } = await suite.database.pool.query('SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NULL', [id]);
    expect(rows).toEqual([]);
  });

  it('let an account be changed while something new refers to it, and be deleted after that', async () => {
    const { username, id } = await member();
    const { accessToken } = await suite.api.login(username, PASSWORD);
    const referring = await suite.database.pool.connect();
    await referring.query('BEGIN');
    // As a foreign key does it.
    await referring.query('SELECT FROM users WHERE id = $1 FOR KEY SHARE', [id]);
    const answers = [
      await both[0].call('PATCH /auth/me', { token: accessToken, json: { name: 'Somebody' } }),
      await both[0].call('POST /auth/me/password', { token: accessToken, json: { currentPassword: PASSWORD, newPassword: 'quite another one' } }),
      await both[1].call(`POST /users/${id}/password`, { token: owner, json: { password: 'one more of them' } }),
      await both[1].call(`PATCH /users/${id}`, { token: owner, json: { disabled: true, role: 'admin' } }),
      await both[1].call(`DELETE /users/${id}/sessions`, { token: owner }),
      await both[1].call(`POST /users/${id}/unlock`, { token: owner }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 204, 204, 200, 204, 204]);
    const deleted = both[0].call(`DELETE /users/${id}`, { token: owner });
    const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM users%FOR UPDATE'";
    await eventually(async () => { expect((await suite.database.pool.query(waiting)).rowCount).toBe(1); });
    await referring.query('COMMIT');
    referring.release();
    expect((await deleted).status).toBe(204);
  });
});
