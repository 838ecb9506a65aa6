import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliOptions, type Ended, gatehouse, gatehouseJson, launchCli } from './support/cli.js';
import { Api, eventually, type Json, send } from './support/client.js';
import { embeddedIn, makeDirectory, postgresBelow, type TestDirectory } from './support/directory.js';
import { environment, type Gatehouse, runGatehouse, startGatehouse } from './support/gatehouse.js';

// Half of the server is loaded for each command.
jest.setTimeout(180_000);

const ROOT = join(__dirname, '..');
const OWNER = 'ada@example.com';
const PASSWORD = 'three random words 42';

let directory: TestDirectory;
let dataDir: string;

beforeAll(() => {
  directory = makeDirectory();
  dataDir = join(directory.path, 'data');
});
afterAll(() => { directory.remove(); });

const on = (more: CliOptions = {}): CliOptions => ({ ...more, env: { ...embeddedIn(dataDir), ...more.env } });
const run = (line: string, more?: CliOptions): Promise<Ended> => gatehouse(line.split(' '), on(more));

describe('commands while the server does not run', () => {
  afterEach(() => { expect(postgresBelow(directory.path)).toEqual([]); });

  it('make no database where there is none, but for migrate', async () => {
    expect(await run('user list')).toMatchObject({ code: 5, stdout: '' });
    expect(existsSync(dataDir)).toBe(false);
    expect(await run('migrate')).toMatchObject({ code: 0, stderr: '' });
    // Secrets are the server's to make: as its own account, and readable by it.
    expect(existsSync(join(dataDir, 'jwt-secret'))).toBe(false);
  });

  it('take turns', async () => {
    const made = await Promise.all([
      run(`user create --email ${OWNER} --role owner --stdin`, { input: PASSWORD }),
      run('user create --email bob@example.com --stdin', { input: PASSWORD }),
      run('user list'),
    ]);
    expect(made.map(({ code, stderr }) => [code, stderr])).toEqual([[0, ''], [0, ''], [0, '']]);
  });

  it('do not wait for what cannot happen', async () => {
    expect(await run('audit tail --follow')).toMatchObject({ code: 5, stdout: '', stderr: expect.stringContaining('No server runs on this data directory') as string });
  });
});

describe('commands beside the running server', () => {
  let server: Gatehouse;
  let api: Api;

  beforeAll(async () => {
    server = await startGatehouse({ env: embeddedIn(dataDir) });
    api = new Api(server);
  });
  afterAll(async () => {
    await server.stop();
    expect(postgresBelow(directory.path)).toEqual([]);
  });

  const port = (): string => new URL(server.url).port;

  it('work on its database, and leave it running', async () => {
    const [postgres] = postgresBelow(directory.path);
    const { items } = await gatehouseJson(['user', 'list'], on()) as { items: Json[] };
    expect(items.map(({ email }) => email as string).sort()).toEqual([OWNER, 'bob@example.com']);
    expect(postgresBelow(directory.path)).toEqual([postgres]);
    await api.login(OWNER, PASSWORD);
  });

  it('end a session that it remembers, at once', async () => {
    const { accessToken } = await api.login('bob@example.com', PASSWORD);
    const me = async () => (await api.call('GET /auth/me', { token: accessToken })).status;
    expect([await me(), await me()]).toEqual([200, 200]);
    expect((await run('user sign-out bob@example.com')).code).toBe(0);
    expect(await me()).toBe(401);
  });

  it('show no secret to whoever lists the processes', async () => {
    const key = 'a-key-that-came-from-elsewhere-0123456789';
    const postgresPassword = readFileSync(join(clusterDir(), 'gatehouse.password'), 'utf8');
    const seen = new Set<string>();
    const look = setInterval(() => {
      for (const line of execFileSync('ps', ['-ww', '-eo', 'args='], { encoding: 'utf8' }).split('\n')) seen.add(line);
    }, 100);
    const ended = await Promise.all([
      run('user set-password bob@example.com --stdin', { input: PASSWORD }),
      run('api-key import --instance --name x --scopes servers:read --stdin', { input: key }),
    ]);
    clearInterval(look);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const lines = [...seen];
    expect(lines.filter((line) => line.includes('set-password bob@example.com'))).not.toEqual([]);
    expect(lines.filter((line) => [PASSWORD, key, postgresPassword].some((secret) => line.includes(secret)))).toEqual([]);
  });

  /** Where PostgreSQL was told to keep it: elsewhere than in the data directory, as root in a closed home. */
  function clusterDir(): string {
    return / -D (\S+)/.exec(postgresBelow(directory.path)[0] ?? '')?.[1] ?? '';
  }

  describe('let a locked-out owner in again', () => {
    /** What the README's section has to be pasted. */
    const [block = ''] = /```sh\n[^]*?```/.exec(/^## Locked out\n[^]*?(?=^## )/m.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[0] ?? '') ?? [];
    const commands = block.split('\n').slice(1, -1).map((line) => line.replace(/\s+#.*/, ''));

    /** Runs a command line as a person pastes it, in the project. */
    async function paste(line: string): Promise<Ended> {
      const env = { ...environment({ ...embeddedIn(dataDir), PORT: port() }), npm_config_loglevel: 'silent', npm_config_offline: 'true' };
      const shell = spawn('sh', ['-c', line], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let [stdout, stderr] = ['', ''];
      shell.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString(); });
      shell.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString(); });
      await once(shell, 'close');
      return { code: shell.exitCode, stdout, stderr };
    }
    const curlIn = (text: string): string => /^ {2}(curl -X POST .*\\\n.*)$/m.exec(text)?.[1] ?? '';

    it('as the README says, while the server runs', async () => {
      const { accessToken } = await api.login(OWNER, PASSWORD);
      for (let i = 0; i < 5; i += 1) await api.call('POST /auth/login', { json: { identifier: OWNER, password: 'I forgot it' } });
      expect((await api.call('POST /auth/login', { json: { identifier: OWNER, password: PASSWORD } })).status).toBe(423);

      expect(commands[0]).toBe('npx gatehouse owner recover');
      const { code, stdout } = await paste(commands[0] ?? '');
      expect([code, stdout]).toEqual([0, expect.stringContaining(`This gives the account ${OWNER} back.`) as string]);
      const command = curlIn(stdout).replace('"password":""', '"password":"a new one to remember"');
      const answer = await paste(`${command} -s`);
      expect(JSON.parse(answer.stdout)).toMatchObject({ email: OWNER, role: 'owner', disabledAt: null });

      const again = await api.login(OWNER, 'a new one to remember');
      expect((await api.call('GET /auth/me', { token: accessToken })).status).toBe(401);
      const told = (await api.call('GET /audit-events?limit=200', { token: again.accessToken })).body.items as Json[];
      const { id } = again.user as { id: string };
      expect(told.find(({ action }) => action === 'owner.recovery_opened')).toMatchObject({ actor: null, subject: { id }, detail: { via: 'command-line' } });
      expect(told.find(({ action }) => action === 'owner.recovered')).toMatchObject({ actor: { id }, subject: { id }, ipAddress: '127.0.0.1', detail: { enabled: false } });

      // Once.
      expect(JSON.parse((await paste(`${command} -s`)).stdout)).toMatchObject({ status: 403, code: 'setup_completed' });
    });

    it('with one winner of two at once, and the last claim alone', async () => {
      const [stale, { token, url, user, expiresAt }] = [await claim(), await claim()];
      expect([url, user.email]).toEqual([`${server.url}/setup`, OWNER]);
      expect(Date.parse(expiresAt as string) - Date.now()).toBeLessThanOrEqual(3_600_000);
      const use = (password: string, body: object = { token }) => send(`POST ${server.url}/setup`, { json: { ...body, password } });
      expect((await use('password of somebody', { token: stale.token as string })).body).toMatchObject({ status: 401, code: 'invalid_token' });
      expect((await use('short')).body).toMatchObject({ status: 422, errors: [{ field: 'password' }] });
      expect((await use(PASSWORD, { token, email: 'eve@example.com' })).body).toMatchObject({ status: 422, errors: [{ field: 'email' }] });
      const passwords = ['password of the first', 'password of the second'];
      const answers = await Promise.all(passwords.map((password) => use(password)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);
      const winner = passwords[answers.findIndex(({ status }) => status === 200)] ?? '';
      await api.login(OWNER, winner);
    });

    it('when nobody is left who could: with an account of their own', async () => {
      // The last owner cannot be disabled; somebody did it in the database.
      const { items } = await gatehouseJson(['user', 'list'], on()) as { items: Json[] };
      const ada = items.find(({ email }) => email === OWNER);
      await inTheDatabase(`UPDATE users SET disabled_at = now() WHERE id = '${ada.id as string}'`);
      const { token, user } = await claim();
      expect(user).toBeNull();
      const answer = await send(`POST ${server.url}/setup`, { json: { token, email: 'new@example.com', password: PASSWORD } });
      expect([answer.status, answer.body.role]).toEqual([201, 'owner']);
      await api.login('new@example.com', PASSWORD);

      const named = await claim('--user', OWNER);
      expect(named.user).toMatchObject({ email: OWNER, disabledAt: expect.any(String) as string });
      expect((await send(`POST ${server.url}/setup`, { json: { token: named.token as string, password: PASSWORD } })).body).toMatchObject({ email: OWNER, disabledAt: null });
      await api.login(OWNER, PASSWORD);
    });

    it('but not without saying which of several, and nobody else', async () => {
      expect(await run('owner recover')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(`say which one with --user: ${OWNER}, new@example.com`) as string });
      expect(await run('owner recover --user bob@example.com')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('gatehouse user set-password bob@example.com') as string });
    });

    const claim = (...more: string[]): Promise<Json> => gatehouseJson(['owner', 'recover', ...more], on({ env: { PORT: port() } }));
  });

  it('write more than a pipe holds', async () => {
    await inTheDatabase(`INSERT INTO audit_events (id, action, outcome, detail)
      SELECT gen_random_uuid(), 'login.failed', 'failure', jsonb_build_object('text', repeat('x', 1000)) FROM generate_series(1, 3000)`);
    const { code, stdout } = await run('audit export');
    expect([code, stdout.length > 3_000_000]).toEqual([0, true]);
  });

  async function inTheDatabase(statement: string): Promise<void> {
    const { Client } = await import('pg');
    const client = new Client({ host: clusterDir(), user: 'gatehouse', database: 'gatehouse', password: readFileSync(join(clusterDir(), 'gatehouse.password'), 'utf8') });
    await client.connect();
    await client.query(statement);
    await client.end();
  }
});

describe('commands that take their time, while the server does not run', () => {
  it('keep a server that starts meanwhile away, in words, and let go when their reader does', async () => {
    const { child } = launchCli(['audit', 'export'], on());
    // The pipe is full: it waits for a reader.
    child.stdout?.removeAllListeners('data').pause();
    await eventually(() => { expect(postgresBelow(directory.path)).not.toEqual([]); }, 60_000);
    const refused = await runGatehouse({ env: embeddedIn(dataDir) });
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`a gatehouse command (process ${String(child.pid)}) is already using DATA_DIR ${dataDir}; try again when it has ended`);
    child.stdout?.destroy();
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
  });

  it('stop the database when they are interrupted', async () => {
    const { child } = launchCli(['audit', 'export'], on());
    child.stdout?.removeAllListeners('data').pause();
    await eventually(() => { expect(postgresBelow(directory.path)).not.toEqual([]); }, 60_000);
    child.kill('SIGTERM');
    await once(child, 'exit');
    await eventually(() => { expect(postgresBelow(directory.path)).toEqual([]); });
  });
});
