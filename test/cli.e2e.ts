import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, gatehouse, gatehouseJson } from './support/cli.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { makeDirectory, postgresBelow, type TestDirectory } from './support/directory.js';
import { environment } from './support/gatehouse.js';

// Half of the server is loaded for each command that works on data.
jest.setTimeout(180_000);

const ROOT = join(__dirname, '..');
const SECRET = 'hunter2hunter2';
const NOBODY_LISTENS = 'postgres://gatehouse:x@127.0.0.1:1/gatehouse';

describe('the command line', () => {
  let directory: TestDirectory;
  let database: TestDatabase;
  let empty: TestDatabase;

  beforeAll(async () => {
    directory = makeDirectory();
    [database, empty] = await Promise.all([createDatabase(), createDatabase('empty')]);
  });
  afterAll(async () => {
    await Promise.all([database.drop(), empty.drop()]);
    directory.remove();
  });

  const run = (args: string[], env: Record<string, string | undefined> = {}, input?: string): Promise<Ended> =>
    gatehouse(args, { env: { DATABASE_URL: database.url, ...env }, cwd: directory.path, ...(input === undefined ? {} : { input }) });

  it('says what there is, with examples and exit codes', async () => {
    const help = await run(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const command of ['start', 'migrate', 'owner', 'user', 'api-key', 'session', 'audit', 'version']) expect(help.stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    expect(help.stdout).toContain('Exit codes (of start: 0 and 1 alone):\n  0  done\n');
    const commands = ['migrate', 'version', 'owner recover', 'session list', 'session revoke', 'audit tail', 'audit export',
      ...['list', 'show', 'create', 'set-password', 'set-role', 'disable', 'enable', 'unlock', 'sign-out'].map((name) => `user ${name}`),
      ...['list', 'create', 'rotate', 'revoke', 'import'].map((name) => `api-key ${name}`)];
    const helps = await Promise.all(commands.map(async (command) => [command, await run([...command.split(' '), '--help'])] as const));
    for (const [command, { code, stdout }] of helps) expect([command, code, stdout]).toEqual([command, 0, expect.stringMatching(/\nExamples:\n {2}\S.*gatehouse|\nExamples:\n {2}gatehouse/) as string]);
  });

  it('starts the server with the flags of the server', async () => {
    const { code, stdout } = await run(['start', '--help']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('--data-dir <value>') as string]);
  });

  it('tells its version, also as npx runs it', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(await run(['version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    expect(await gatehouseJson(['version'])).toEqual({ version });
    const npx = spawn('npx', ['--offline', 'gatehouse', 'version'], { cwd: ROOT, env: { ...environment({}), npm_config_loglevel: 'silent' } });
    let printed = '';
    npx.stdout.on('data', (chunk: Buffer) => { printed += chunk.toString(); });
    await once(npx, 'close');
    expect([npx.exitCode, printed]).toEqual([0, `${version}\n`]);
  });

  it.each<[string, string[], number, RegExp, Record<string, string | undefined>?]>([
    ['no command', [], 2, /^Usage: gatehouse/],
    ['an unknown command', ['usr'], 2, /unknown command 'usr'\n\(Did you mean user\?\)/],
    ['an unknown option', ['user', 'list', `--zip=${SECRET}`], 2, /unknown option '--zip'/],
    ['an argument that is missing', ['user', 'show'], 2, /missing required argument 'user'/],
    ['an argument too many', ['user', 'show', 'a', 'b'], 2, /too many arguments/],
    ['a wrong word', ['user', 'set-role', 'a', 'king'], 2, /Allowed choices are owner, admin, member/],
    ['a wrong number', ['user', 'list', '--limit', '0'], 2, /whole number from 1 to 200/],
    ['an id that is none', ['api-key', 'revoke', 'mine'], 2, /must be a UUID/],
    ['a cursor that is none', ['user', 'list', '--cursor', 'x'], 2, /^gatehouse: --cursor must be the nextCursor of an earlier answer\.\n$/],
    ['a time that is none', ['audit', 'export', '--from', 'yesterday'], 2, /from must be a time in ISO 8601/],
    ['a wrong setting', ['user', 'list'], 2, /PORT: got "many"/, { PORT: 'many' }],
    ['no such account', ['user', 'show', 'nobody@example.com'], 3, /^gatehouse: There is no account "nobody@example.com"\.\n$/],
    ['no such key', ['api-key', 'revoke', '018f5a5e-0000-7000-8000-000000000000'], 3, /There is no such/],
    ['no such session', ['session', 'revoke', '018f5a5e-0000-7000-8000-000000000000'], 3, /There is no session/],
    ['a database that is away', ['user', 'list'], 5, /the database 127\.0\.0\.1:1\/gatehouse that DATABASE_URL names cannot be used: connect ECONNREFUSED/, { DATABASE_URL: NOBODY_LISTENS, DATABASE_WAIT_SECONDS: '0' }],
    ['a data directory without a database', ['user', 'list', '--data-dir', '/nowhere/at/all'], 5, /there is no database in DATA_DIR \/nowhere\/at\/all yet/, { DATABASE_URL: undefined }],
  ])('ends %s in a sentence and a code', async (_, args, code, message, env = {}) => {
    const ended = await run(args, env);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toMatch(/\n {4}at |hunter2/);
  });

  it.each([
    ['user', 'create', '--email', 'a@example.com', '--password', SECRET],
    ['user', 'set-password', 'a', `--password=${SECRET}`],
    ['user', 'set-password', 'a', SECRET],
    ['user', 'create', '--email', 'a@example.com', SECRET],
    ['api-key', 'import', '--instance', '--name', 'x', '--scopes', '*', '--key', SECRET],
    ['api-key', 'import', '--instance', '--name', 'x', '--scopes', '*', SECRET],
    ['owner', 'recover', '--token', SECRET],
  ])('takes no secret as an argument: %s %s %s %s', async (...args) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('everybody on this machine can read arguments');
    expect(stderr).not.toContain(SECRET);
  });

  it('asks nobody where there is no terminal', async () => {
    expect(await run(['user', 'create', '--email', 'a@example.com'])).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no terminal') as string });
    expect(await run(['user', 'create', '--email', 'a@example.com'], {}, 'typed into a pipe\n')).toMatchObject({ code: 2 });
    expect(await run(['user', 'create', '--email', 'a@example.com', '--stdin'], {}, '')).toMatchObject({ code: 2, stderr: 'gatehouse: Standard input is empty.\n' });
  });

  it('runs the migrations, and until then does nothing else', async () => {
    const behind = await run(['user', 'list'], { DATABASE_URL: empty.url });
    expect([behind.code, behind.stdout]).toEqual([5, '']);
    expect(behind.stderr).toMatch(/^gatehouse: The schema of the database is behind .*\(\d+ migrations have not run\): run gatehouse migrate/);
    const { ran } = await gatehouseJson(['migrate'], { env: { DATABASE_URL: empty.url } });
    expect(ran).toEqual(expect.arrayContaining(['InitialSchema20261101000000']));
    expect(await run(['migrate'], { DATABASE_URL: empty.url })).toMatchObject({ code: 0, stdout: 'The schema is up to date.\n' });
    expect(await gatehouseJson(['user', 'list'], { env: { DATABASE_URL: empty.url } })).toEqual({ items: [], nextCursor: null });
    // No bootstrap: that is for the start of a server.
    expect((await empty.pool.query('SELECT FROM setup_claims')).rowCount).toBe(0);
  });

  it('ends quietly when nobody reads any more', async () => {
    await database.pool.query(`INSERT INTO audit_events (id, action, outcome)
      SELECT ('018f5a5e-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'login.failed', 'failure' FROM generate_series(1, 5000) AS n`);
    const command = `'${process.execPath}' '${join(ROOT, 'dist', 'cli.js')}' audit export | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const shell = spawn('bash', ['-c', command], { env: environment({ DATABASE_URL: database.url }), cwd: directory.path });
    let [out, err] = ['', ''];
    shell.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
    shell.stderr.on('data', (chunk: Buffer) => { err += chunk.toString(); });
    await once(shell, 'close');
    expect(err).toBe('');
    expect(out).toMatch(/^\{"id":"018f5a5e-0000-7000-8000-000000000001".*\}\n0\n$/);
  });

  it('reads .env in the working directory, and leaves no database running behind', async () => {
    const made = await run(['migrate', '--data-dir', 'here'], { DATABASE_URL: undefined });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(postgresBelow(directory.path)).toEqual([]);
    expect(await run(['user', 'list', '--data-dir', 'here'], { DATABASE_URL: undefined })).toMatchObject({ code: 0 });
    expect(postgresBelow(directory.path)).toEqual([]);
  });
});
