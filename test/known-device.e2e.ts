import { randomUUID } from 'node:crypto';
import { type Api, send } from './support/client.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'a member of the house';

describe('a known device', () => {
  let suite: Suite;
  let api: Api;
  let owner: string;
  let count = 0;

  beforeAll(async () => {
    suite = await startSuite({ TRUST_PROXY: 'true' });
    api = suite.api;
    owner = (await api.login(OWNER.email, OWNER.password)).accessToken;
  });
  afterAll(() => suite.stop());

  const login = async (username: string, password: string, cookie = '', headers: Record<string, string> = {}) => {
    const answer = await send(`POST ${suite.gatehouse.api}/auth/login`, { json: { username, password }, headers: { cookie, ...headers } });
    return { ...answer, cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '' };
  };
  /** A new member with a browser that knows them. */
  const member = async (cookie = '') => {
    const username = `member${String(count++)}`;
    const { id } = await api.createUser(owner, { username, password: PASSWORD });
    return { username, id: id as string, cookie: (await login(username, PASSWORD, cookie)).cookie };
  };
  const guess = async (username: string, times: number, cookie = ''): Promise<number[]> => {
    const statuses: number[] = [];
    for (let n = 0; n < times; n++) statuses.push((await login(username, 'wrong', cookie)).status);
    return statuses;
  };

  it('gets in while a stranger has the account locked', async () => {
    const { username, cookie } = await member();
    expect(await guess(username, 6)).toEqual([401, 401, 401, 401, 401, 423]);
    expect((await login(username, PASSWORD)).status).toBe(423);
    expect((await login(username, PASSWORD, cookie)).status).toBe(200);
    // And the stranger is no better off for it.
    expect((await login(username, PASSWORD)).status).toBe(423);
  });

  it('is told that the account is locked to strangers, and nothing else of locks', async () => {
    const { username, cookie } = await member();
    expect((await login(username, PASSWORD, cookie)).body.user.lockedUntil).toBeNull();
    await guess(username, 5);
    const { body } = await login(username, PASSWORD, cookie);
    expect(body.user.lockedUntil).toEqual(expect.any(String));
    expect((await api.call('GET /auth/me', { token: body.accessToken })).body).toEqual(body.user);
    await suite.database.pool.query(`UPDATE login_attempts SET locked_until = now() - interval '1 second' WHERE user_id = $1`, [body.user.id]);
    expect((await login(username, PASSWORD, cookie)).body.user.lockedUntil).toBeNull();
  });

  it('has five guesses of its own, which lock nobody else', async () => {
    const { username, cookie } = await member();
    expect(await guess(username, 6, cookie)).toEqual([401, 401, 401, 401, 401, 423]);
    expect((await login(username, PASSWORD, cookie)).status).toBe(423);
    expect((await login(username, PASSWORD)).status).toBe(200);
  });

  it('is unlocked by an administrator with the account', async () => {
    const { username, id, cookie } = await member();
    await guess(username, 5, cookie);
    await guess(username, 5);
    await api.call(`POST /users/${id}/unlock`, { token: owner });
    expect([(await login(username, PASSWORD, cookie)).status, (await login(username, PASSWORD)).status]).toEqual([200, 200]);
  });

  it('keeps its counter when it signs in again', async () => {
    const { username, cookie } = await member();
    const again = await login(username, PASSWORD, cookie);
    expect(again.cookie).toBe(cookie);
  });

  it('may be known to several accounts, and each has a counter', async () => {
    const first = await member();
    const second = await member(first.cookie);
    for (const { username } of [first, second]) await guess(username, 5);
    expect((await login(first.username, PASSWORD, second.cookie)).status).toBe(200);
    expect((await login(second.username, PASSWORD, second.cookie)).status).toBe(200);
    expect(await guess(first.username, 6, second.cookie)).toEqual([401, 401, 401, 401, 401, 423]);
    expect((await login(second.username, PASSWORD, second.cookie)).status).toBe(200);
  });

  it('remembers no more than five accounts', async () => {
    let cookie = '';
    const members: { username: string; cookie: string }[] = [];
    for (let n = 0; n < 6; n++) {
      members.push(await member(cookie));
      cookie = members.at(-1)!.cookie;
    }
    expect(cookie.split('~')).toHaveLength(5);
    for (const { username } of [members[0]!, members[1]!]) await guess(username, 5);
    expect((await login(members[0]!.username, PASSWORD, cookie)).status).toBe(423);
    expect((await login(members[1]!.username, PASSWORD, cookie)).status).toBe(200);
  });

  it('is not made up', async () => {
    const victim = await member();
    const attacker = await member();
    await guess(victim.username, 5);
    const [user = '', device = '', mac = ''] = attacker.cookie.replace('gh_device=', '').split('.');
    const [, theirDevice = '', theirMac = ''] = victim.cookie.replace('gh_device=', '').split('.');
    const forged = [
      attacker.cookie,
      `gh_device=${victim.id}.${device}.${mac}`,
      `gh_device=${victim.id}.${randomUUID()}.${theirMac}`,
      `gh_device=${victim.id}.${theirDevice}.${'A'.repeat(43)}`,
      `gh_device=${victim.id}.${theirDevice}.`,
      `gh_device=${victim.id}.${theirDevice}.${theirMac.slice(0, -1)}`,
      `gh_device=${victim.id}.${theirDevice}.${theirMac.slice(0, -1)}${String.fromCharCode(theirMac.charCodeAt(42) + 1)}`,
      `gh_device=${user}.${device}.${mac}~${victim.id}.${device}.${mac}`,
      `gh_device=${'~'.repeat(10)}${victim.cookie.replace('gh_device=', '')}`,
      'gh_device=%00', 'gh_device=', 'gh_device', `gh_device=${'x'.repeat(6000)}`,
    ];
    for (const cookie of forged) expect((await login(victim.username, PASSWORD, cookie)).status).toBe(423);
    expect((await login(victim.username, PASSWORD, victim.cookie)).status).toBe(200);
  });

  it('proves nobody’s identity', async () => {
    const { cookie } = await member();
    expect((await api.call('GET /auth/me', { headers: { cookie } })).status).toBe(401);
  });

  it('is remembered by a cookie for HTTPS alone where the request came by HTTPS', async () => {
    const { username } = await member();
    const { headers } = await login(username, PASSWORD, '', { 'x-forwarded-proto': 'https' });
    expect(headers.getSetCookie()[0]).toMatch(/; Secure(;|$)/);
  });
});
