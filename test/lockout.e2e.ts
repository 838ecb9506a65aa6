import { type Answer, type Api, type Json } from './support/client.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const PASSWORD = 'a member of the house';

describe('lockout', () => {
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

  const member = (): Promise<{ id: string; username: string; email: string }> => {
    const username = `member${String(count++)}`;
    return api.createUser(owner, { username, email: `${username}@example.com`, password: PASSWORD });
  };
  const login = (identifier: string, password: string) => api.call('POST /auth/login', { json: { identifier, password } });
  const statuses = async (identifier: string, passwords: string[]): Promise<number[]> => {
    const found: number[] = [];
    for (const password of passwords) found.push((await login(identifier, password)).status);
    return found;
  };
  const wrong = (times: number): string[] => Array.from({ length: times }, () => 'wrong');
  /** Moves the times of all counters back. */
  const age = (interval: string) =>
    suite.database.pool.query('UPDATE login_attempts SET updated_at = updated_at - $1::interval, locked_until = locked_until - $1::interval', [interval]);
  /** What of an answer a caller may compare; times to the second. */
  const seen = ({ status, headers, body }: Answer<Json>) => {
    const { requestId: _, lockedUntil, ...rest } = body;
    const kept = [...headers].filter(([name]) => !['date', 'x-request-id', 'retry-after'].includes(name));
    const seconds = Math.round((Date.parse(lockedUntil ?? '') - Date.now()) / 10_000) * 10;
    return { status, headers: Object.fromEntries(kept), body: rest, seconds: lockedUntil === undefined ? undefined : seconds };
  };

  it('closes after five wrong passwords, to the right one too, and says until when', async () => {
    const { username } = await member();
    expect(await statuses(username, wrong(5))).toEqual([401, 401, 401, 401, 401]);
    const { status, body, headers } = await login(username, PASSWORD);
    expect({ status, code: body.code }).toEqual({ status: 423, code: 'account_locked' });
    const left = (Date.parse(body.lockedUntil) - Date.now()) / 1000;
    expect(left).toBeGreaterThan(890);
    expect(left).toBeLessThanOrEqual(900);
    expect(Math.abs(Number(headers.get('retry-after')) - left)).toBeLessThan(3);
  });

  it('belongs to the account, whichever identifier is used, in whichever case', async () => {
    const { username, email } = await member();
    const identifiers = [username, email, username.toUpperCase(), email.toUpperCase(), username.replace('m', 'ｍ')];
    for (const identifier of identifiers) expect((await login(identifier, 'wrong')).status).toBe(401);
    for (const identifier of identifiers) expect((await login(identifier, PASSWORD)).status).toBe(423);
  });

  it('shows in the account to an administrator, who can end it', async () => {
    const { username, id } = await member();
    await statuses(username, wrong(5));
    const locked = await api.call(`GET /users/${id}`, { token: owner });
    expect(Date.parse(locked.body.lockedUntil)).toBeGreaterThan(Date.now());
    await api.call(`POST /users/${id}/unlock`, { token: owner });
    expect(await statuses(username, [...wrong(4), PASSWORD])).toEqual([401, 401, 401, 401, 200]);
  });

  it('tells an unknown identifier from an account in nothing', async () => {
    const { username } = await member();
    const unknown = `nobody${String(count++)}`;
    for (let guess = 0; guess < 7; guess++) {
      const [known, stranger] = [await login(username, 'wrong'), await login(unknown, 'wrong')];
      expect(seen(stranger)).toEqual(seen(known));
      expect(known.status).toBe(guess < 5 ? 401 : 423);
    }
  });

  it('counts an unknown identifier by its folded form', async () => {
    const spellings = ['nobody@example.com', 'NOBODY@example.com', 'ｎobody@example.com', 'Nobody@Example.Com', 'nobody@EXAMPLE.com'];
    for (const spelling of spellings) expect((await login(spelling, 'wrong')).status).toBe(401);
    for (const spelling of spellings) expect((await login(spelling, 'wrong')).status).toBe(423);
    const long = 'l'.repeat(320);
    expect(await statuses(`${long}one end`, wrong(3))).toEqual([401, 401, 401]);
    expect(await statuses(`${long}another end`, wrong(3))).toEqual([401, 401, 423]);
  });

  it.each([['an account', true], ['an unknown identifier', false]])('ends by itself and starts at 0 for %s', async (_, known) => {
    const identifier = known ? (await member()).username : `nobody${String(count++)}`;
    await statuses(identifier, wrong(5));
    await age('14 minutes 50 seconds');
    expect((await login(identifier, 'wrong')).status).toBe(423);
    await age('10 seconds');
    expect(await statuses(identifier, wrong(6))).toEqual([401, 401, 401, 401, 401, 423]);
  });

  it('is not prolonged by more attempts', async () => {
    const { username } = await member();
    await statuses(username, wrong(5));
    const until = (await login(username, 'wrong')).body.lockedUntil;
    expect((await login(username, 'wrong')).body.lockedUntil).toBe(until);
  });

  it('starts at 0 after a right password', async () => {
    const { username } = await member();
    const passwords = [...wrong(4), PASSWORD, ...wrong(4), PASSWORD, ...wrong(5), PASSWORD];
    expect(await statuses(username, passwords)).toEqual([401, 401, 401, 401, 200, 401, 401, 401, 401, 200, 401, 401, 401, 401, 401, 423]);
  });

  it('starts at 0 after the right password of a disabled account', async () => {
    const { username, id } = await member();
    await api.call(`PATCH /users/${id}`, { token: owner, json: { disabled: true } });
    expect(await statuses(username, [...wrong(4), PASSWORD, ...wrong(4), PASSWORD])).toEqual([401, 401, 401, 401, 403, 401, 401, 401, 401, 403]);
  });

  it.each([['an account', true], ['an unknown identifier', false]])('forgets failures after a day for %s', async (_, known) => {
    const identifier = known ? (await member()).username : `nobody${String(count++)}`;
    await statuses(identifier, wrong(4));
    await age('23 hours 59 minutes');
    expect(await statuses(identifier, wrong(1))).toEqual([401]);
    expect((await login(identifier, 'wrong')).status).toBe(423);
    await age('2 hours');
    await statuses(identifier, wrong(4));
    await age('24 hours 1 second');
    expect(await statuses(identifier, wrong(5))).toEqual([401, 401, 401, 401, 401]);
  });

  it('never comes of right passwords, however many at once', async () => {
    const { username } = await member();
    const answers = await Promise.all(Array.from({ length: 12 }, () => login(username, PASSWORD)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await statuses(username, [...wrong(4), PASSWORD])).toEqual([401, 401, 401, 401, 200]);
  });

  it('leaves a trace without what was typed', async () => {
    const { username, id } = await member();
    await statuses(username, wrong(6));
    const { body } = await api.call(`GET /audit-events?userId=${id}`, { token: owner });
    const events = body.items.map((event: Json) => `${String(event.action)} ${String(event.detail?.reason)}`);
    expect(events.slice(0, 6)).toEqual([
      'login.failed account_locked', 'account.locked wrong_credentials', ...Array.from({ length: 4 }, () => 'login.failed wrong_credentials'),
    ]);
    expect(JSON.stringify(body)).not.toContain('"wrong"');
  });

  it.each([['an account', true], ['an unknown identifier', false]])('tells once that somebody tried while it lasted, however often they do: %s', async (_, known) => {
    const identifier = known ? (await member()).username : `nobody${String(count++)}`;
    const events = async () => Number((await suite.database.pool.query<{ n: string }>('SELECT count(*) AS n FROM audit_events')).rows[0]?.n);
    const before = await events();
    const answers = await Promise.all(Array.from({ length: 40 }, () => login(identifier, 'wrong')));
    expect(answers.filter(({ status }) => status === 423)).toHaveLength(35);
    expect(await events() - before).toBe(6);
    // The next lock is another one.
    await age('15 minutes');
    await statuses(identifier, wrong(8));
    expect(await events() - before).toBe(12);
  });

  it('locks at the first failure where LOCKOUT_ATTEMPTS is 1, and never somebody with the right password', async () => {
    const strict = await suite.startAnother({ LOCKOUT_ATTEMPTS: '1' });
    const { username } = await member();
    const answers = await Promise.all(Array.from({ length: 6 }, () => strict.call('POST /auth/login', { json: { username, password: PASSWORD } })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await strict.call('POST /auth/login', { json: { username, password: 'wrong' } })).status).toBe(401);
    expect((await strict.call('POST /auth/login', { json: { username, password: PASSWORD } })).status).toBe(423);
  });
});
