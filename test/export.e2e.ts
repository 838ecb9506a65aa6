import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, gatehouse, gatehouseJson, launchCli } from './support/cli.js';
import { Api, eventually, type Json } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { embeddedIn, makeDirectory, type TestDirectory } from './support/directory.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { PASSWORD } from './support/people.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

// Half of the server is loaded for each command.
jest.setTimeout(180_000);

const sha256 = (key: string) => createHash('sha256').update(key);
const linesOf = (text: string): Json[] => text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);

let suite: Suite;
let directory: TestDirectory;
let owner: string;

beforeAll(async () => {
  suite = await startSuite();
  directory = makeDirectory();
  owner = (await suite.api.login(OWNER.email, OWNER.password)).accessToken;
});
afterAll(async () => {
  await suite.stop();
  directory.remove();
});

const run = (args: string[], input?: string, url = suite.database.url): Promise<Ended> =>
  gatehouse(args, { env: { DATABASE_URL: url }, ...(input === undefined ? {} : { input }) });
const whose = async (key: string, api = suite.api): Promise<[number, string | null]> => {
  const { status, body } = await api.call('GET /api-keys/current', { apiKey: key });
  return [status, status === 200 ? (body.userId as string | null) : null];
};

describe('an import of keys', () => {
  let ada: Json;
  beforeAll(async () => { ada = await suite.api.createUser(owner, { email: 'ada@keys.example', username: 'ada', password: PASSWORD }); });

  const [byEmail, byName, ofInstance] = ['a key that was made elsewhere 1', 'a key that was made elsewhere 2', 'a key that was made elsewhere 3'];
  const FILE = () => [
    'name,owner,scopes,sha256,prefix,expires_at',
    `by e-mail,ADA@keys.example,"servers:read, servers:write",${sha256(byEmail).digest('hex').toUpperCase()},elsewhere,2099-01-01`,
    `by name,ada,{servers:read},${sha256(byName).digest('base64')},,`,
    `of the instance,,*,${sha256(ofInstance).digest('base64url')},,`,
    '',
  ].join('\n');

  it('takes them by their hashes, in hexadecimal digits and base64, for accounts and the instance', async () => {
    const refused = await run(['import', 'keys', '-'], FILE());
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining('line 4: owner is missing: a key of no account is one of the instance itself') as string });
    const { stdout, code } = await run(['import', 'keys', '-', '--allow-instance-keys'], FILE());
    expect({ stdout, code }).toEqual({ code: 0, stdout: '3 keys imported, 0 unchanged, 0 lines refused.\n' });
    expect(await whose(byEmail)).toEqual([200, ada.id]);
    expect(await whose(byName)).toEqual([200, ada.id]);
    expect(await whose(ofInstance)).toEqual([200, null]);
    const { body } = await suite.api.call(`GET /api-keys?userId=${ada.id as string}`, { token: owner });
    expect(body.items).toMatchObject([
      { name: 'by name', prefix: expect.stringMatching(/^sha256:[0-9a-f]{6}$/) as string, scopes: ['servers:read'], expiresAt: null },
      { name: 'by e-mail', prefix: 'elsewhere', scopes: ['servers:read', 'servers:write'], expiresAt: '2099-01-01T00:00:00.000Z' },
    ]);
  });

  it('changes nothing a second time, and revives no key', async () => {
    const { body } = await suite.api.call(`GET /api-keys?userId=${ada.id as string}`, { token: owner });
    expect((await suite.api.call(`DELETE /api-keys/${body.items[0].id as string}`, { token: owner })).status).toBe(204);
    expect((await run(['import', 'keys', '-', '--allow-instance-keys'], FILE())).stdout).toBe('0 keys imported, 3 unchanged, 0 lines refused.\n');
    expect(await whose(byName)).toEqual([401, null]);
  });

  it('refuses what is no key, whose owner is not there, and what reaches further than its owner', async () => {
    const hash = () => sha256(`key ${String(Math.random())}`).digest('hex');
    const twice = hash();
    const { stdout, code } = await run(['import', 'keys', '-', '--dry-run'], [
      'name,owner,scopes,sha256',
      `nobody's,nobody@keys.example,servers:read,${hash()}`,
      `too far,ada,users:write *,${hash()}`,
      'itself,ada,servers:read,the key itself is no hash of it',
      `no scope,ada,,${hash()}`,
      `bad scope,ada,Servers.Read,${hash()}`,
      `,ada,servers:read,${hash()}`,
      `another's,${OWNER.email},servers:read,${sha256(byEmail).digest('hex')}`,
      `good,ada,servers:read,${twice}`,
      `twice,ada,servers:read,${twice}`,
    ].join('\n'));
    expect(stdout.split('\n')).toEqual([
      'line 4: sha256 must be a SHA-256: 64 hexadecimal digits, or 43 characters of base64',
      'line 5: scopes is missing',
      'line 6: scopes must be scopes of the form resource:action, resource:* or *',
      'line 7: name is missing',
      'line 2: owner names no account: import the users first',
      'line 3: scopes are more than its owner may do: users:write, *',
      'line 8: key_hash is the hash of a key that is there already, and not of this owner',
      'line 10: key_hash is the same as in line 9',
      '1 key would be imported, 0 unchanged, 8 lines refused. Nothing was written.',
      '',
    ]);
    expect(code).toBe(1);
    expect(stdout).not.toContain('the key itself');
  });

  it('takes an id for an id, whatever somebody else is called', async () => {
    const lookalike = await suite.api.createUser(owner, { username: ada.id, password: PASSWORD });
    const key = 'a key that was made elsewhere 4';
    expect(await run(['import', 'keys', '-'], `name,owner,scopes,sha256\nby id,${ada.id as string},servers:read,${sha256(key).digest('hex')}\n`)).toMatchObject({ code: 0 });
    expect(await whose(key)).toEqual([200, ada.id]);
    const own = await suite.api.createKey((await suite.api.login(ada.id as string, PASSWORD)).accessToken, ['servers:read']);
    expect(linesOf((await run(['export', 'keys'])).stdout).find(({ id }) => id === own.id)).toMatchObject({ owner: lookalike.id });
    expect((await suite.database.pool.query('DELETE FROM api_keys WHERE name = $1 OR id = $2', ['by id', own.id])).rowCount).toBe(2);
  });

  it('keeps nobody waiting while the file comes in, and refuses keys of whom is deleted by its end', async () => {
    const [bob, eve] = await Promise.all(['bob', 'eve'].map((username) => suite.api.createUser(owner, { username, password: PASSWORD })));
    const { child, output } = launchCli(['import', 'keys', '-'], { env: { DATABASE_URL: suite.database.url }, input: null });
    // Enough for owners to be looked up.
    const lines = Array.from({ length: 1_500 }, (_, at) => `k${String(at)},${at === 7 ? 'eve' : 'bob'},servers:read,${sha256(`slow ${String(at)}`).digest('hex')}\n`);
    child.stdin?.write(`name,owner,scopes,sha256\n${lines.join('')}`);
    await eventually(async () => {
      const { rowCount } = await suite.database.pool.query("SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' AND query LIKE 'INSERT INTO incoming%'");
      expect(rowCount).toBe(1);
    }, 60_000);
    expect((await suite.api.call(`PATCH /users/${bob!.id as string}`, { token: owner, json: { disabled: true } })).status).toBe(200);
    expect((await suite.api.call(`DELETE /users/${eve!.id as string}`, { token: owner })).status).toBe(204);
    child.stdin?.end();
    await once(child, 'close');
    expect({ code: child.exitCode, ...output() }).toMatchObject({
      code: 1, stdout: 'line 9: owner names no account: import the users first\n1499 keys would be imported, 0 unchanged, 1 line refused. Nothing was written.\n',
    });
  });
});

describe('an export', () => {
  let copy: TestDatabase;
  let server: Gatehouse;
  const [users, keys] = ['users.jsonl', 'keys.jsonl'];
  const path = (name: string) => join(directory.path, name);

  beforeAll(async () => { copy = await createDatabase(); });
  afterAll(async () => {
    await server.stop();
    await copy.drop();
  });

  it('of accounts and keys goes to a new file that nobody else may read', async () => {
    await suite.api.createUser(owner, { email: 'gone@export.example', password: PASSWORD });
    for (const [what, name] of [['users', users], ['keys', keys]] as const) {
      expect(await run(['export', what, '-o', path(name)])).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(statSync(path(name)).mode & 0o777).toBe(0o600);
    }
    expect(linesOf(readFileSync(path(users), 'utf8'))).toContainEqual(expect.objectContaining({
      email: OWNER.email, username: OWNER.username, role: 'owner', passwordHash: expect.stringMatching(/^\$2b\$10\$/) as string,
    }));
    writeFileSync(path('there'), 'something else');
    expect(await run(['export', 'users', '-o', path('there')]))
      .toEqual({ code: 1, stdout: '', stderr: `gatehouse: ${path('there')} is there already, and is not written over.\n` });
    expect(readFileSync(path('there'), 'utf8')).toBe('something else');
    expect(readdirSync(directory.path).sort()).toEqual([keys, 'there', users]);
  });

  /** Runs an export that comes as far as the first account, and what is done then. */
  const interrupted = async (act: (drafts: () => string[], end: (signal: NodeJS.Signals) => Promise<void>) => Promise<void>): Promise<void> => {
    const holding = await suite.database.pool.connect();
    await holding.query('BEGIN; LOCK TABLE users');
    const { child } = launchCli(['export', 'users', '-o', path('cut')], { env: { DATABASE_URL: suite.database.url } });
    const drafts = () => readdirSync(directory.path).filter((name) => name.startsWith('cut'));
    try {
      await eventually(() => { expect(drafts()).toHaveLength(1); }, 60_000);
      await act(drafts, async (signal) => {
        child.kill(signal);
        await once(child, 'exit');
      });
    } finally {
      child.kill('SIGKILL');
      await holding.query('ROLLBACK');
      holding.release();
    }
  };

  it('that is interrupted leaves nothing, and one that is killed nothing under its name', async () => {
    await interrupted(async (drafts, end) => {
      await end('SIGINT');
      expect(drafts()).toEqual([]);
    });
    await interrupted(async (drafts, end) => {
      const [draft = ''] = drafts();
      expect(statSync(path(draft)).mode & 0o777).toBe(0o600);
      await end('SIGKILL');
      expect(drafts()).toEqual([draft]);
      expect(existsSync(path('cut'))).toBe(false);
      rmSync(path(draft));
    });
  });

  it('is imported into an empty database: the same accounts and keys, and the same passwords', async () => {
    const env = { DATABASE_URL: copy.url };
    expect(await gatehouse(['import', 'users', path(users)], { env })).toMatchObject({ code: 1, stdout: expect.stringContaining('would make an owner') as string });
    expect(await gatehouseJson(['import', 'users', path(users), '--allow-owners'], { env })).toMatchObject({ refused: 0, done: true });
    expect(await gatehouseJson(['import', 'keys', path(keys), '--allow-instance-keys'], { env })).toMatchObject({ imported: 3, refused: 0, done: true });
    for (const [what, name] of [['users', users], ['keys', keys]] as const) {
      expect((await run(['export', what], undefined, copy.url)).stdout).toBe(readFileSync(path(name), 'utf8'));
    }
    server = await startGatehouse({ env });
    const api = new Api(server);
    expect((await api.login(OWNER.username, OWNER.password)).user).toMatchObject({ role: 'owner' });
    await api.login('ada', PASSWORD);
    expect(await whose('a key that was made elsewhere 1', api)).toMatchObject([200, expect.any(String)]);
    expect(await whose('a key that was made elsewhere 2', api)).toEqual([401, null]);
    expect(await whose('a key that was made elsewhere 3', api)).toEqual([200, null]);
  });

  it('changes nothing where it comes from', async () => {
    const env = { DATABASE_URL: suite.database.url };
    expect(await gatehouseJson(['import', 'users', path(users), '--allow-owners'], { env })).toMatchObject({ imported: 0, refused: 0, done: true });
    expect(await gatehouseJson(['import', 'keys', path(keys), '--allow-instance-keys'], { env })).toMatchObject({ imported: 0, unchanged: 3 });
  });

  it('of hashes is in the audit log, which can be exported too', async () => {
    const events = linesOf((await run(['export', 'audit'])).stdout);
    expect(events.map(({ action }) => action as string)).toEqual(expect.arrayContaining(['users.exported', 'api_keys.exported', 'api_keys.imported']));
    const exported = events.find(({ action }) => action === 'users.exported');
    expect(exported.detail).toEqual({ via: 'command-line', operator: expect.any(String) as string });
  });

  it('works beside a server on the embedded database, and leaves no half of a file behind', async () => {
    const data = makeDirectory();
    const env = embeddedIn(join(data.path, 'data'));
    const embedded = await startGatehouse({ env: { ...env, ADMIN_EMAIL: OWNER.email, ADMIN_PASSWORD: OWNER.password } });
    const { stdout } = await gatehouse(['export', 'users'], { env });
    expect(linesOf(stdout)).toMatchObject([{ email: OWNER.email, role: 'owner' }]);
    expect(await gatehouse(['export', 'audit', '--from', 'yesterday', '-o', path('half')], { env })).toMatchObject({ code: 2 });
    expect(existsSync(path('half'))).toBe(false);
    await embedded.stop();
    data.remove();
  });
});
