import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { type CliOptions, type Ended, gatehouse, gatehouseJson, launchCli } from './support/cli.js';
import { eventually, type Json } from './support/client.js';
import { makeDirectory, type TestDirectory } from './support/directory.js';
import { owner, type Person, person } from './support/people.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

// Half of the server is loaded for each command.
jest.setTimeout(180_000);

const sha256 = (text: string, encoding: 'hex' | 'base64' | 'base64url') => createHash('sha256').update(text).digest(encoding);
const newKey = () => randomBytes(32).toString('base64url');

let suite: Suite;
let directory: TestDirectory;
let boss: Person;
let member: Person;

beforeAll(async () => {
  directory = makeDirectory();
  suite = await startSuite();
  boss = await owner(suite.api);
  member = await person(suite.api, boss.token, 'member');
});
afterAll(async () => {
  await suite.stop();
  directory.remove();
});

const on = (more: CliOptions = {}): CliOptions => ({ cwd: directory.path, ...more, env: { DATABASE_URL: suite.database.url } });
const run = (line: string, more?: CliOptions): Promise<Ended> => gatehouse(line.split(' '), on(more));
const json = (line: string, more?: CliOptions): Promise<Json> => gatehouseJson(line.split(' '), on(more));
const current = (apiKey: string) => suite.api.call('GET /api-keys/current', { apiKey });
const eventsOf = async (query: string): Promise<Json[]> => (await suite.api.call(`GET /audit-events?${query}`, { token: boss.token })).body.items as Json[];

describe('API keys on the command line', () => {
  it('are made for an account, within what it may do, and shown once', async () => {
    const made = await run(`api-key create --user ${member.email} --name CI --scopes servers:read,servers:write --expires 90d --resource server:7`);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^gh_\w{49}\n$/) as string });
    const { body } = await current(made.stdout.trim());
    expect(body).toMatchObject({ name: 'CI', userId: member.id, scopes: ['servers:read', 'servers:write'], resource: { type: 'server', id: '7' } });
    expect((Date.parse(body.expiresAt as string) - Date.now()) / 86_400_000).toBeCloseTo(90, 0);
    expect(await run(`api-key create --user ${member.email} --name x --scopes users:read`)).toMatchObject({ code: 4, stderr: expect.stringContaining('users:read') as string });
    expect(await run(`api-key create --name x --scopes users:read`)).toMatchObject({ code: 2, stderr: expect.stringContaining('--user <who>, or --instance') as string });
    expect(await run(`api-key create --instance --name x --scopes Servers`)).toMatchObject({ code: 2, stderr: expect.stringContaining('--scopes must be scopes of the form') as string });
    const [event] = await eventsOf('action=api_key.created');
    expect(event).toMatchObject({ actor: null, subject: { type: 'api-key', id: body.id }, detail: { via: 'command-line' } });
  });

  it("are made for the instance, rotated with overlap, and revoked", async () => {
    const made = await json('api-key create --instance --name deploy --scopes *');
    expect((await current(made.key as string)).body).toMatchObject({ userId: null, scopes: ['*'] });
    const { key, ...next } = await json(`api-key rotate ${made.id as string} --overlap 1h`);
    expect((await current(key as string)).body).toEqual({ ...next, lastUsedAt: null });
    expect((await current(made.key as string)).status).toBe(200);
    const last = await run(`api-key rotate ${next.id as string}`);
    expect([(await current(key as string)).status, (await current(last.stdout.trim())).status]).toEqual([401, 200]);
    expect(await json(`api-key revoke ${made.id as string}`)).toMatchObject({ id: made.id, revokedAt: expect.any(String) as string });
    expect((await current(made.key as string)).status).toBe(401);
    expect(await run(`api-key rotate ${made.id as string}`)).toMatchObject({ code: 3 });
    expect(await run(`api-key rotate ${made.id as string} --overlap 8d`)).toMatchObject({ code: 2, stderr: expect.stringContaining('--overlap must be a whole number of seconds from 0 to 604800') as string });
  });

  it('are listed: all of them, an account’s, the instance’s', async () => {
    const theApi = async (query: string) => (await suite.api.call(`GET /api-keys${query}`, { token: boss.token })).body.items as Json[];
    const [all, ofMember, ofInstance] = await Promise.all([json('api-key list'), json(`api-key list --user ${member.email}`), json('api-key list --instance')]);
    expect(ofMember.items).toEqual(await theApi(`?userId=${member.id}`));
    expect(ofInstance.items).toEqual(await theApi('?userId=none'));
    expect(all.items).toHaveLength((ofMember.items as Json[]).length + (ofInstance.items as Json[]).length);
    const { stdout } = await run('api-key list');
    expect(stdout).toMatch(/ instance +\* +revoked /);
    expect(stdout).toMatch(new RegExp(` ${member.id} +servers:read,servers:write +active `));
  });

  it('have names that a terminal shows without obeying them', async () => {
    const name = 'deploy\u009b31m\u2028\u0085';
    const { id } = await suite.api.createKey(boss.token, ['servers:read'], { name });
    const escaped = '"deploy\\u009b31m\\u2028\\u0085"';
    const [listed, revoked] = [await run('api-key list --json'), await run(`api-key revoke ${id as string}`)];
    expect(listed.stdout).toContain(`"name":${escaped}`);
    expect((JSON.parse(listed.stdout) as { items: Json[] }).items).toContainEqual(expect.objectContaining({ id, name }));
    expect(revoked.stdout).toContain('The key deploy\ufffd31m\ufffd\ufffd (');
    const [shown, exported] = [await run(`api-key revoke ${id as string} --json`), await run('export keys')];
    const imported = await gatehouse(['api-key', 'import', '--instance', '--name', name, '--scopes', '*', '--hash', sha256(newKey(), 'hex')], { env: { DATABASE_URL: suite.database.url } });
    expect(imported.stdout).toContain('The key deploy\ufffd31m\ufffd\ufffd was imported');
    expect(shown.stdout).toContain(`"name": ${escaped}`);
    expect(exported.stdout).toContain(`"name":${escaped}`);
  });

  it('are imported by the key or its hash, and a second time nothing changes', async () => {
    const keys = Array.from({ length: 4 }, newKey) as [string, string, string, string];
    writeFileSync(join(directory.path, 'key'), `${keys[1]}\n`);
    const into = `api-key import --user ${member.email} --name legacy --scopes servers:read`;
    const imports: [string, CliOptions?][] = [
      [`${into} --stdin`, { input: `${keys[0]}\n` }],
      [`${into} --file key`],
      [`${into} --hash ${sha256(keys[2], 'hex')}`],
      [`${into} --hash ${sha256(keys[3], 'base64')}`],
    ];
    const made = await Promise.all(imports.map(([line, more]) => json(line, more)));
    for (const [index, key] of keys.entries()) {
      const { body } = await current(key);
      expect(body).toMatchObject({ id: made[index].id, name: 'legacy', userId: member.id, scopes: ['servers:read'] });
    }
    const counted = async () => (await suite.database.pool.query('SELECT id, name, scopes FROM api_keys ORDER BY id')).rows;
    const before = await counted();
    expect(await run(`${into} --file key`)).toEqual({ code: 0, stdout: `The key is there already (${made[1].id as string}); nothing was changed.\n`, stderr: '' });
    expect(await run(`${into} --hash ${sha256(keys[1], 'base64url')}`)).toMatchObject({ code: 0 });
    expect(await run(`${into.replace('servers:read', 'servers:write')} --file key`)).toMatchObject({ code: 4, stderr: expect.stringContaining('with other scopes: servers:read') as string });
    expect(await run('api-key import --instance --name x --scopes servers:read --file key')).toMatchObject({ code: 4, stderr: expect.stringContaining('belongs to the account') as string });
    expect(await run(`${into} --resource server:7 --file key`)).toMatchObject({ code: 4, stderr: expect.stringContaining('is bound to nothing') as string });
    expect(await run(`${into} --expires 2090-01-01T00:00:00Z --file key`)).toMatchObject({ code: 4, stderr: expect.stringContaining('with another end: none') as string });
    await run(`api-key revoke ${made[1].id as string}`);
    expect(await run(`${into} --file key`)).toMatchObject({ code: 4, stderr: expect.stringContaining('was revoked: it stays so') as string });
    expect((await counted()).map(({ id }) => id as string)).toEqual(before.map(({ id }) => id as string));
  });

  it('are the same a second time only with the same binding and the same end', async () => {
    const hash = sha256(newKey(), 'hex');
    const again = (more: string) => run(`api-key import --user ${member.email} --name bound --scopes servers:read --hash ${hash} ${more}`.trim());
    const refused = (said: string) => ({ code: 4, stdout: '', stderr: expect.stringContaining(said) as string });
    expect(await again('--resource server:7 --expires 90d')).toMatchObject({ code: 0 });
    // Some of the span has gone by.
    expect(await again('--resource server:7 --expires 90d')).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing was changed') as string });
    expect(await again('--resource server:8 --expires 90d')).toMatchObject(refused('is bound to server:7'));
    expect(await again('--expires 90d')).toMatchObject(refused('is bound to server:7'));
    for (const end of ['', ' --expires 30d', ' --expires 2090-01-01T00:00:00Z']) {
      expect(await again(`--resource server:7${end}`)).toMatchObject(refused('with another end: 20'));
    }
    const { rows: [key] } = await suite.database.pool.query<{ id: string }>("SELECT id FROM api_keys WHERE key_hash = decode($1, 'hex')", [hash]);
    expect(await run(`api-key rotate ${key!.id} --overlap 1h`)).toMatchObject({ code: 0 });
    expect(await again('--resource server:7 --expires 90d')).toMatchObject(refused('was rotated: it ends at 20'));
  });

  it.each([
    ['--hash 1234', undefined, '--hash must be a SHA-256'],
    ['--stdin', 'short', '16 to 512 ASCII characters'],
    ['--stdin', 'with white space in between', '16 to 512 ASCII characters'],
    ['--stdin', `gh_${'x'.repeat(49)}`, 'its checksum is wrong'],
    ['--file nowhere', undefined, 'cannot be read (ENOENT)'],
    ['', undefined, 'there is no terminal'],
  ])('are not imported with %s %s', async (how, input, message) => {
    const ended = await gatehouse(`api-key import --instance --name x --scopes * ${how}`.trim().split(' '), on(input === undefined ? {} : { input }));
    expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) as string });
    if (input !== undefined) expect(ended.stderr).not.toContain(input);
  });
});

describe('sessions on the command line', () => {
  it('are listed, and end at once', async () => {
    const { accessToken } = await suite.api.login(member.email, member.password);
    const theirs = (await suite.api.call('GET /auth/sessions', { token: accessToken })).body.items as Json[];
    const [listed, all] = await Promise.all([json(`session list --user ${member.email}`), json('session list')]);
    expect(listed.items).toEqual(theirs.map((session) => ({ ...session, current: false, userId: member.id, lastUsedAt: expect.any(String) as string })));
    expect((all.items as Json[]).length).toBeGreaterThan(theirs.length);
    const id = theirs.find(({ current: here }) => here).id as string;
    expect(await run(`session revoke ${id}`)).toEqual({ code: 0, stdout: 'The session has ended.\n', stderr: '' });
    expect((await suite.api.call('GET /auth/me', { token: accessToken })).status).toBe(401);
    expect(await run(`session revoke ${id}`)).toEqual({ code: 4, stdout: '', stderr: 'gatehouse: The session has ended already.\n' });
    expect((await eventsOf('action=session.ended'))[0]).toMatchObject({ actor: null, subject: { type: 'session', id }, detail: { via: 'command-line' } });
  });
});

describe('the audit log on the command line', () => {
  const lines = (text: string): Json[] => text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));

  it('shows what happened last, and what is asked for', async () => {
    const whole = (await eventsOf('limit=200')).reverse();
    expect(lines((await run('audit tail -n 5 --json')).stdout)).toEqual(whole.slice(-5));
    const [narrowed, table] = await Promise.all([run(`audit tail --user ${member.email} --action login.succeeded --json`), run('audit tail -n 3')]);
    expect(lines(narrowed.stdout)).toEqual(whole.filter(({ action, subject }) => action === 'login.succeeded' && subject.id === member.id).slice(-20));
    expect(table.stdout).toMatch(/^TIME +ACTION +OUTCOME +ACTOR +SUBJECT +ADDRESS +DETAIL\n(\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ .*\n){3}$/);
  });

  it('is exported whole, oldest first, in constant memory', async () => {
    const page = 1_000;
    await suite.database.pool.query(`INSERT INTO audit_events (id, at, action, outcome)
      SELECT ('018f5a5e-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '2024-05-08', 'login.failed', 'failure' FROM generate_series(1, $1) AS n`, [2 * page + 1]);
    const whole = lines((await run('audit export')).stdout);
    const { rows } = await suite.database.pool.query<{ id: string }>('SELECT id FROM audit_events ORDER BY id');
    expect(whole.map(({ id }) => id as string)).toEqual(rows.map(({ id }) => id));
    expect(whole.at(-1)).toEqual((await eventsOf('limit=1'))[0]);

    expect(await run('audit export --to 2025-01-01 --output old.jsonl')).toEqual({ code: 0, stdout: '', stderr: '' });
    const file = join(directory.path, 'old.jsonl');
    expect(lines(readFileSync(file, 'utf8'))).toHaveLength(2 * page + 1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await run('audit export --output old.jsonl')).toMatchObject({ code: 1, stderr: 'gatehouse: old.jsonl is there already, and is not written over.\n' });
    expect(lines(readFileSync(file, 'utf8'))).toHaveLength(2 * page + 1);
  });

  it('is followed until Ctrl-C', async () => {
    const { child, output } = launchCli('audit tail -n 1 --follow --json --action login.failed'.split(' '), on());
    await eventually(() => { expect(lines(output().stdout)).toHaveLength(1); }, 60_000);
    const guess = () => suite.api.call('POST /auth/login', { json: { identifier: OWNER.email, password: 'a wrong guess 123' } });
    await guess();
    await suite.api.login(OWNER.email, OWNER.password);
    await guess();
    await eventually(() => { expect(lines(output().stdout)).toHaveLength(3); }, 60_000);
    child.kill('SIGINT');
    await once(child, 'close');
    expect([child.exitCode, output().stderr]).toEqual([130, '']);
    expect(lines(output().stdout).slice(1)).toEqual((await eventsOf('action=login.failed&limit=2')).reverse());
  });

  it('is followed without losing what had been recorded before, and was committed later', async () => {
    const late = await suite.database.pool.connect();
    const id = uuidv7();
    await late.query('BEGIN');
    await late.query("INSERT INTO audit_events (id, action, outcome) VALUES ($1, 'login.failed', 'failure')", [id]);
    await suite.api.call('POST /auth/login', { json: { identifier: OWNER.email, password: 'a wrong guess 123' } });
    const [last] = await eventsOf('action=login.failed&limit=1');
    const { child, output } = launchCli('audit tail -n 1 --follow --json --action login.failed'.split(' '), on());
    const shown = () => lines(output().stdout).map((event) => event.id as string);
    await eventually(() => { expect(shown()).toEqual([last.id]); }, 60_000);
    await late.query('COMMIT');
    late.release();
    await eventually(() => { expect(shown()).toEqual([last.id, id]); }, 60_000);
    child.kill('SIGINT');
    await once(child, 'close');
    expect(shown()).toEqual([last.id, id]);
  });
});
