import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliOptions, type Ended, gatehouse, gatehouseJson } from './support/cli.js';
import type { Json } from './support/client.js';
import { makeDirectory, type TestDirectory } from './support/directory.js';
import { PASSWORD } from './support/people.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

// Half of the server is loaded for each command.
jest.setTimeout(180_000);

const ADA = 'ada@example.com';
const TYPED = 'typed on a keyboard 42';

describe('accounts on the command line, with PostgreSQL', () => {
  let suite: Suite;
  let directory: TestDirectory;

  beforeAll(async () => {
    directory = makeDirectory();
    suite = await startSuite();
  });
  afterAll(async () => {
    await suite.stop();
    directory.remove();
  });

  const on = (more: CliOptions = {}): CliOptions => ({ cwd: directory.path, ...more, env: { DATABASE_URL: suite.database.url, ...more.env } });
  const run = (line: string, more?: CliOptions): Promise<Ended> => gatehouse(line.split(' '), on(more));
  const json = (line: string, more?: CliOptions): Promise<Json> => gatehouseJson(line.split(' '), on(more));
  const status = async (identifier: string, password: string): Promise<number> =>
    (await suite.api.call('POST /auth/login', { json: { identifier, password } })).status;

  it('are created, with a password from a pipe, from a file, or made here', async () => {
    const made = await json(`user create --email ${ADA} --name Ada --stdin`, { input: `${PASSWORD}\r\n` });
    const { accessToken } = await suite.api.login(ADA, PASSWORD);
    const me = (await suite.api.call('GET /auth/me', { token: accessToken })).body;
    expect({ ...made, lastLoginAt: null }).toEqual({ ...me, lastLoginAt: null });

    writeFileSync(join(directory.path, 'password'), `${PASSWORD}\n`);
    expect(await run('user create --username bob --role admin --password-file password'))
      .toMatchObject({ code: 0, stdout: expect.stringMatching(/^bob was created \([0-9a-f-]{36}\)\.\n$/) as string });
    expect(await status('bob', PASSWORD)).toBe(200);

    // All that goes to standard output is the password: PASSWORD=$(gatehouse …)
    const eve = await run('user create --username eve --generate');
    expect(eve.code).toBe(0);
    expect(eve.stdout).toMatch(/^\w{24}\n$/);
    expect(await status('eve', eve.stdout.trim())).toBe(200);
  });

  it.each([
    ['a short password', 'user create --username x --stdin', 'short', 2, 'The password must have at least 12 characters.'],
    ['a common password', 'user create --username x --stdin', 'passwordpassword', 2, 'The password is too common.'],
    ['its own name for a password', `user create --email xxxxxxx@example.com --stdin`, 'xxxxxxx@example.com', 2, 'The password is too common.'],
    ['no name', 'user create --stdin', PASSWORD, 2, 'An account needs --email or --username.'],
    ['no email address', 'user create --email x --stdin', PASSWORD, 2, '--email must be an email address.'],
    ['a name that is taken', 'user create --username BOB --stdin', PASSWORD, 4, 'Another account has this username.'],
  ])('are not created with %s', async (_, line, input, code, message) => {
    expect(await run(line, { input })).toEqual({ code, stdout: '', stderr: `gatehouse: ${message}\n` });
  });

  it('are shown by id, email address or username, as the native API shows them', async () => {
    const { accessToken } = await suite.api.login(OWNER.email, OWNER.password);
    const all = (await suite.api.call('GET /users', { token: accessToken })).body as { items: Json[] };
    expect(await json('user list')).toEqual(all);
    const owner = all.items.find(({ role }) => role === 'owner');
    const names = [owner.id as string, OWNER.email.toUpperCase(), OWNER.username];
    expect(await Promise.all(names.map((name) => json(`user show ${name}`)))).toEqual([owner, owner, owner]);
    const shown = await run(`user show ${OWNER.email}`);
    expect(shown.stdout).toMatch(new RegExp(`^ID +${owner.id as string}\nEmail +${OWNER.email}\n[^]*\nState +active\n`));
  });

  it('are listed page by page, all at once, and by a part of the name', async () => {
    const first = await json('user list --limit 3');
    const second = await json(`user list --limit 3 --cursor ${first.nextCursor as string}`);
    const all = await json('user list --all');
    expect(all).toEqual({ items: [...first.items, ...second.items], nextCursor: null });
    expect((await json('user list --search ADA')).items).toHaveLength(1);
    const table = await run('user list --limit 2');
    expect(table.stdout).toMatch(/^ID +EMAIL +USERNAME +ROLE +STATE +LAST LOGIN\n(\S.*\n){2}$/);
    expect(table.stderr).toMatch(/^There are more: go on with --cursor \S+, or take --all\.\n$/);
  });

  it('change, and say so in the audit log', async () => {
    const { accessToken: owner } = await suite.api.login(OWNER.email, OWNER.password);
    const { id } = await json(`user show ${ADA}`);
    for (let i = 0; i < 5; i += 1) await status(ADA, 'a wrong guess 123');
    expect(await status(ADA, PASSWORD)).toBe(423);
    expect((await run(`user show ${ADA}`)).stdout).toContain('\nState         locked\n');
    expect(await run(`user unlock ${ADA}`)).toEqual({ code: 0, stdout: `${ADA} is unlocked.\n`, stderr: '' });
    const { accessToken } = await suite.api.login(ADA, PASSWORD);

    expect(await run(`user set-role ${ADA} admin`)).toMatchObject({ code: 0, stdout: `${ADA} has the role admin now.\n` });
    expect((await suite.api.call('GET /users', { token: accessToken })).status).toBe(200);
    expect(await run(`user sign-out ${ADA}`)).toMatchObject({ code: 0, stdout: `${ADA} is signed out everywhere.\n` });
    expect((await suite.api.call('GET /auth/me', { token: accessToken })).status).toBe(401);
    expect(await json(`user disable ${ADA}`)).toMatchObject({ id, disabledAt: expect.any(String) as string });
    expect(await status(ADA, PASSWORD)).toBe(403);
    expect(await json(`user enable ${ADA}`)).toMatchObject({ id, disabledAt: null });
    expect(await status(ADA, PASSWORD)).toBe(200);

    const events = (await suite.api.call(`GET /audit-events?userId=${id as string}`, { token: owner })).body.items as Json[];
    const given = events.filter(({ detail }) => detail?.via === 'command-line');
    expect(given.map(({ action }) => action as string)).toEqual(
      ['user.enabled', 'user.disabled', 'sessions.ended', 'user.updated', 'account.unlocked', 'user.created']);
    for (const event of given) expect(event).toMatchObject({ actor: null, subject: { type: 'user', id }, ipAddress: null, detail: { operator: expect.stringMatching(/^\S+@\S+$/) as string } });
  });

  it('cannot lose the last owner', async () => {
    for (const line of [`user disable ${OWNER.email}`, `user set-role ${OWNER.email} member`]) {
      expect(await run(line)).toEqual({ code: 4, stdout: '', stderr: 'gatehouse: This is the last owner who can sign in: make another one first.\n' });
    }
  });

  it('get a new password, which is typed twice and seen by nobody, and are signed out', async () => {
    const { accessToken } = await suite.api.login('bob', PASSWORD);
    const typed = [['New password: ', `mistyped${'\u007f'.repeat(8)}${TYPED}\r`], ['The same again: ', `${TYPED}\r`]] as const;
    const { code, stdout } = await run('user set-password bob', { typed });
    expect([code, stdout]).toEqual([0, 'New password: \r\nThe same again: \r\nbob has a new password, and is signed out everywhere.\r\n']);
    expect((await suite.api.call('GET /auth/me', { token: accessToken })).status).toBe(401);
    expect([await status('bob', TYPED), await status('bob', PASSWORD)]).toEqual([200, 401]);
  });

  it.each<[string, CliOptions['typed'], number, string]>([
    ['the two differ', [['New password: ', `${TYPED}\r`], ['The same again: ', 'another one altogether\r']], 2, 'The two are not the same'],
    ['it is interrupted', [['New password: ', 'half of a pass\u0003']], 130, ''],
    ['nothing is typed', [['New password: ', '\u0004']], 1, 'Nothing was typed'],
  ])('keep the password when %s', async (_, typed = [], code, message) => {
    const ended = await run('user set-password bob', { typed });
    expect(ended.code).toBe(code);
    expect(ended.stdout).toContain(message);
    expect(ended.stdout).not.toMatch(/half of|another one/);
    expect(await status('bob', TYPED)).toBe(200);
  });

  it('get a generated password', async () => {
    const { code, stdout, stderr } = await run(`user set-password ${ADA} --generate`);
    expect([code, stderr]).toEqual([0, `${ADA} has a new password, and is signed out everywhere. The password, which is shown this once:\n`]);
    expect(await status(ADA, stdout.trim())).toBe(200);
    const again = await json(`user set-password ${ADA} --generate`);
    expect(await status(ADA, again.password as string)).toBe(200);
  });
});
