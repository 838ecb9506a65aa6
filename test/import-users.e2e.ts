import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliOptions, type Ended, gatehouse, gatehouseJson, launchCli } from './support/cli.js';
import { Api, eventually, type Json } from './support/client.js';
import { embeddedIn, makeDirectory, type TestDirectory } from './support/directory.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { OWNER, startSuite, type Suite, WITH_OWNER } from './support/suite.js';

// Half of the server is loaded for each command.
jest.setTimeout(180_000);

/** Made by libxcrypt, of `correct horse battery`, at cost 4. */
const HASH = '$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS';
const PASSWORD = 'correct horse battery';

describe('an import of accounts', () => {
  let suite: Suite;
  let owner: string;
  let directory: TestDirectory;

  beforeAll(async () => {
    suite = await startSuite();
    owner = (await suite.api.login(OWNER.email, OWNER.password)).accessToken;
    directory = makeDirectory();
  });
  afterAll(async () => {
    await suite.stop();
    directory.remove();
  });

  const run = (content: string, ...flags: string[]): Promise<Ended> =>
    gatehouse(['import', 'users', '-', ...flags], { env: { DATABASE_URL: suite.database.url }, input: content });
  const people = async (search: string): Promise<Json[]> =>
    (await suite.api.call(`GET /users?search=${search}&limit=200`, { token: owner })).body.items as Json[];
  const csv = (...lines: string[]): string => lines.map((line) => `${line}\n`).join('');

  const FAULTY = csv(
    'id,email,username,name,role,password_hash,is_active,created_at',
    `,good@faults.example,good-one,"A name
on two lines",member,${HASH},t,2024-01-15`,
    `,good2@faults.example,,,member,${HASH},t,2024-01-15 10:30:00+02`,
    `,no address,,,member,${HASH},t,`,
    `,,,,member,${HASH},t,`,
    `,role@faults.example,,,constructor,${HASH},perhaps,2024-02-31`,
    `,boss@faults.example,,,owner,${HASH},t,`,
    ',costly@faults.example,,,member,$2b$31$abcdefghijklmnopqrstuuIh3CSGHoDLGDcSHmOnFm8RePaNXDvTm,t,',
    ',plain@faults.example,,,member,hunter2-in-plain-text,t,',
    `,few@faults.example,,member,${HASH}`,
    '',
    `,GOOD2@faults.example,,,member,${HASH},t,`,
    `,${OWNER.email},,,member,${HASH},t,`,
    `,owner2@faults.example,${OWNER.username},,member,${HASH},t,`,
    `00000000-0000-0000-0000-000000000000,nil@faults.example,,,member,${HASH},t,`,
    `,long@faults.example,,${'n'.repeat(201)},member,${HASH},t,`,
  );
  /** Line by line, and then what only the database knows. */
  const REFUSALS = [
    'line 2: name must not contain control characters',
    'line 5: email must be an email address',
    'line 6: email is missing, and so is a username',
    'line 7: role must be one of owner, admin, member, user',
    'line 7: created_at must be a time, such as 2024-01-31T12:00:00Z',
    'line 7: is_active must be true or false',
    'line 8: role would make an owner, which takes --allow-owners',
    'line 9: password_hash has the cost 31, and 4 to 15 are accepted',
    'line 10: password_hash is no hash of a kind that is known: bcrypt, or Argon2, scrypt or PBKDF2 as a PHC string',
    'line 11: has 5 values, and the first line names 8 columns',
    'line 16: id must not be the nil UUID',
    'line 17: name must have at most 200 characters',
    'line 13: email is the same as in line 4',
    'line 14: email belongs to an account that is there already',
    'line 15: username belongs to an account that is there already',
  ];

  it('says in a dry run what it would refuse, line by line, and writes nothing', async () => {
    const { code, stdout, stderr } = await run(FAULTY, '--dry-run');
    expect(stdout.trimEnd().split('\n')).toEqual([...REFUSALS, '1 account would be imported, 0 unchanged, 13 lines refused. Nothing was written.']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'gatehouse: Not everything would be imported.\n' });
    expect(await people('faults.example')).toEqual([]);
  });

  it('imports nothing at all when something is refused', async () => {
    const { code, stderr } = await run(FAULTY);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'gatehouse: Nothing was imported: mend what was refused, or leave it out with --skip-invalid.\n' });
    expect(await people('faults.example')).toEqual([]);
  });

  it('leaves out what is refused when it is told to, and the next time finds the rest there', async () => {
    const { stdout, code } = await run(FAULTY, '--skip-invalid', '--json');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
    expect(lines.pop()).toEqual({ read: 14, imported: 1, unchanged: 0, refused: 13, done: true, dryRun: false });
    expect(lines).toContainEqual({ line: 11, field: null, reason: expect.any(String) as string });
    expect(await people('faults.example')).toMatchObject([{ email: 'good2@faults.example', createdAt: '2024-01-15T08:30:00.000Z' }]);
    const again = await run(FAULTY, '--skip-invalid');
    expect(again.stdout).toContain('0 accounts imported, 1 unchanged, 13 lines refused.');
  });

  it('prints no hash, and what is no hash neither', async () => {
    const { stdout, stderr } = await run(FAULTY, '--dry-run');
    for (const secret of ['hunter2', 'abcdefghijklmnopqrstuu', '$2b$31']) expect(stdout + stderr).not.toContain(secret);
  });

  it('says in a sentence which file it cannot read', async () => {
    const path = join(directory.path, 'latin1.csv');
    writeFileSync(path, Buffer.from(`email,name,password_hash\na@latin.example,J\u00fcrgen,${HASH}\n`, 'latin1'));
    const env = { DATABASE_URL: suite.database.url };
    expect(await gatehouse(['import', 'users', path], { env })).toMatchObject({ code: 1, stderr: expect.stringContaining('not UTF-8') as string });
    expect(await gatehouse(['import', 'users', `${path}.gone`], { env })).toEqual({ code: 2, stdout: '', stderr: `gatehouse: ${path}.gone cannot be read (ENOENT).\n` });
    expect(await gatehouse(['import', 'users', path, '--role', 'owner'], { env })).toMatchObject({ code: 2, stderr: 'gatehouse: --role owner takes --allow-owners.\n' });
  });

  it('reads JSON lines and refuses those that are none, without repeating them', async () => {
    const { stdout } = await run(csv(
      JSON.stringify({ email: 'json@lines.example', passwordHash: HASH, disabled: true }),
      '{"email":"hunter2", broken',
      '["an", "array"]',
      JSON.stringify({ email: 'no-password@lines.example' }),
      JSON.stringify({ email: 'number@lines.example', username: 42, password_hash: null }),
      JSON.stringify({ email: 'lone\ud800@lines.example', name: '\ud800', password_hash: null }),
    ), '--dry-run');
    expect(stdout.split('\n')).toEqual([
      'line 2: is not JSON',
      'line 3: is not a JSON object',
      'line 4: password_hash is missing (null, for an account without a password)',
      'line 5: username must be a string',
      'line 6: email must not contain control characters',
      'line 6: name must not contain control characters',
      '1 account would be imported, 0 unchanged, 5 lines refused. Nothing was written.',
      '',
    ]);
  });

  it('does not take an account that somebody else made for one that it made', async () => {
    await suite.api.createUser(owner, { email: 'squatted@example.com', password: 'three random words 42' });
    const { code, stdout } = await run(csv('email,password_hash', `squatted@example.com,${HASH}`));
    expect(code).toBe(1);
    expect(stdout).toContain('line 2: email belongs to an account that is there already\n');
  });

  it('knows an account again that has another address by now, or another password', async () => {
    const file = csv('email,password_hash', `moved@example.com,${HASH}`);
    expect((await run(file)).code).toBe(0);
    const { accessToken, user } = await suite.api.login('moved@example.com', PASSWORD);
    expect((await suite.api.call('PATCH /auth/me', { token: accessToken, json: { email: 'elsewhere@example.com', currentPassword: PASSWORD } })).status).toBe(200);
    expect((await run(file)).stdout).toBe('0 accounts imported, 1 unchanged, 0 lines refused.\n');
    expect(await people('moved@example.com')).toEqual([]);
    expect((await suite.api.login('elsewhere@example.com', PASSWORD)).user).toMatchObject({ id: user.id as string });
  });

  it('refuses an id that is another account\'s, and another id for an account that it made', async () => {
    const [{ id }] = await people(OWNER.email) as [Json];
    const given = '5b1f3f86-3f8e-4d0c-9f6e-0d7e4d2f8a11';
    const file = (one: string, email: string) => csv('id,email,password_hash', `${one},${email},${HASH}`);
    expect((await run(file(id as string, 'other@ids.example'))).stdout).toContain('line 2: id is the id of another account\n');
    expect((await run(file(given.toUpperCase(), 'with-id@ids.example'))).stdout).toContain('1 account imported');
    expect(await people('with-id@ids.example')).toMatchObject([{ id: given }]);
    expect((await run(file(given, 'with-id@ids.example'))).stdout).toContain('1 unchanged');
    expect((await run(file(given.replace('5b', '5c'), 'with-id@ids.example'))).stdout).toContain('line 2: email belongs to an account that is there already\n');
    // A number is no id that can stay: a new one is made.
    expect((await run(file('17', 'numbered@ids.example'))).stdout).toContain('1 account imported');
  });

  it('makes owners only when it is told that it may', async () => {
    const file = csv('email,password_hash,role', `second-owner@example.com,${HASH},OWNER`);
    expect((await run(file)).stdout).toContain('line 2: role would make an owner, which takes --allow-owners\n');
    expect((await run(file, '--allow-owners')).stdout).toContain('1 account imported');
    expect((await suite.api.login('second-owner@example.com', PASSWORD)).user).toMatchObject({ role: 'owner' });
  });

  it('tells the audit log once, with figures and who did it, and without anything of the file', async () => {
    const { body } = await suite.api.call('GET /audit-events?action=users.imported&limit=1', { token: owner });
    const [{ detail }] = body.items as [Json];
    expect(detail).toEqual({ source: 'generic', imported: 1, unchanged: 0, refused: 0, via: 'command-line', operator: expect.any(String) as string });
  });

  it('names columns that nothing is made of', async () => {
    const { stderr } = await run(csv('email,password_hash,favourite colour,shoe size', `colour@example.com,${HASH},blue,42`), '--dry-run');
    expect(stderr).toBe('Nothing is made of these columns: favourite colour, shoe size.\n');
  });

  it('writes nothing when it is interrupted, and lets nobody else import meanwhile', async () => {
    const env = { DATABASE_URL: suite.database.url };
    const slow = launchSlow(env, csv('email,password_hash', `slow@example.com,${HASH}`));
    await eventually(async () => {
      const { rows } = await suite.database.pool.query("SELECT FROM pg_stat_activity WHERE xact_start IS NOT NULL AND query LIKE 'CREATE TEMPORARY%'");
      expect(rows).toHaveLength(1);
    });
    expect(await run(csv('email,password_hash', `quick@example.com,${HASH}`))).toMatchObject({
      code: 1, stderr: 'gatehouse: Another import is under way: wait until it is done.\n',
    });
    slow.kill('SIGTERM');
    await new Promise((resolve) => slow.once('exit', resolve));
    expect(await people('slow@example.com')).toEqual([]);
    await eventually(async () => {
      expect((await run(csv('email,password_hash', `quick@example.com,${HASH}`))).code).toBe(0);
    });
  });
});

describe('an import into the embedded database', () => {
  let directory: TestDirectory;
  let dataDir: string;

  beforeAll(() => {
    directory = makeDirectory();
    dataDir = join(directory.path, 'data');
  });
  afterAll(() => { directory.remove(); });

  const on = (more: CliOptions = {}): CliOptions => ({ ...more, env: embeddedIn(dataDir) });

  it('works while the server runs, whose people sign in at once, and while it does not', async () => {
    const server: Gatehouse = await startGatehouse({ env: { ...embeddedIn(dataDir), ...WITH_OWNER } });
    const file = `email,password_hash\nbeside@example.com,${HASH}\n`;
    expect(await gatehouseJson(['import', 'users', '-'], on({ input: file }))).toMatchObject({ imported: 1 });
    await new Api(server).login('beside@example.com', PASSWORD);
    await server.stop();
    expect(await gatehouseJson(['import', 'users', '-'], on({ input: file }))).toMatchObject({ imported: 0, unchanged: 1 });
  });
});

/** Starts an import whose file has not come to its end. */
function launchSlow(env: Record<string, string>, begun: string): ReturnType<typeof launchCli>['child'] {
  const { child } = launchCli(['import', 'users', '-'], { env, input: null });
  child.stdin?.write(begun);
  return child;
}
