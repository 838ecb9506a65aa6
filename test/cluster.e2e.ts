import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Api, eventually, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { embeddedIn, makeDirectory, postgresBelow, type TestDirectory } from './support/directory.js';
import { type Gatehouse, runGatehouse, startGatehouse } from './support/gatehouse.js';
import { PASSWORD } from './support/people.js';
import { rawRequest } from './support/raw-request.js';
import { sendLogin } from './support/raw-login.js';
import { OWNER, WITH_OWNER } from './support/suite.js';

const MANY = 30;

/** The Node processes that a process has started. */
function workersOf({ process: { pid } }: Gatehouse): number[] {
  return execFileSync('ps', ['-ww', '-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, state, program]) => Number(parent) === pid && !state?.startsWith('Z') && program?.endsWith('node'))
    .map(([own]) => Number(own));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Statuses of one request on many connections, each of which may lead to another process. */
async function everywhere(target: string, headers: Record<string, string> = {}): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: MANY }, () => rawRequest(target, headers)));
  return [...new Set(answers.map(({ status }) => status))];
}

describe('several processes on the embedded database', () => {
  let directory: TestDirectory;
  let gatehouse: Gatehouse;
  const start = async (): Promise<Gatehouse> => {
    gatehouse = await startGatehouse({ env: { ...embeddedIn(join(directory.path, 'data')), WEB_CONCURRENCY: '2', PRINCIPAL_CACHE: 'off', METRICS_PUBLIC: 'true' } });
    return gatehouse;
  };

  beforeAll(async () => {
    directory = makeDirectory();
    await start();
  });
  afterAll(async () => {
    await gatehouse.stop();
    directory.remove();
  });

  it('are scraped together, whichever of them is asked', async () => {
    const login = { json: { identifier: 'nobody@example.com', password: 'a wrong guess' } };
    await Promise.all(Array.from({ length: 4 }, () => new Api(gatehouse).call('POST /auth/login', login)));
    const { body: text } = await rawRequest(`GET ${gatehouse.url}/metrics`);
    expect(/^gatehouse_logins_total\{result="invalid_credentials"\} (\d+)$/m.exec(text as string)?.[1]).toBe('4');
    expect(text).toMatch(/^gatehouse_build_info\{version="[^"]+"\} 1$/m);
  });

  it('share the port, one database, one secret and one claim, and are announced once', async () => {
    expect(workersOf(gatehouse)).toHaveLength(2);
    expect(postgresBelow(directory.path)).toHaveLength(1);
    expect(gatehouse.output().match(/is listening at/g)).toHaveLength(1);
    expect(gatehouse.output().match(/"token":/g)).toHaveLength(1);
    expect(gatehouse.output()).toContain('Workers  2 processes');
    const wrong = await Promise.all(Array.from({ length: MANY }, () => rawRequest(`POST ${gatehouse.url}/setup`, { 'content-type': 'application/json' },
      JSON.stringify({ token: 'x'.repeat(43), email: OWNER.email, password: OWNER.password }))));
    expect([...new Set(wrong.map(({ status }) => status))]).toEqual([401]);
    const claim = { token: gatehouse.claimToken, email: OWNER.email, password: OWNER.password };
    expect((await send(`POST ${gatehouse.url}/setup`, { json: claim })).status).toBe(201);
    const { accessToken } = await new Api(gatehouse).login(OWNER.email, OWNER.password);
    expect(await everywhere(`GET ${gatehouse.api}/auth/me`, { authorization: `Bearer ${accessToken}` })).toEqual([200]);
  });

  it('refuse what one of them was told to revoke', async () => {
    const api = new Api(gatehouse);
    const { accessToken } = await api.login(OWNER.email, OWNER.password);
    const authorization = `Bearer ${accessToken}`;
    expect((await rawRequest(`POST ${gatehouse.api}/auth/logout`, { authorization })).status).toBe(204);
    expect(await everywhere(`GET ${gatehouse.api}/auth/me`, { authorization })).toEqual([401]);
  });

  it('leave nobody waiting who was on the way to one that is killed', async () => {
    const [victim = 0, ...others] = workersOf(gatehouse);
    process.kill(victim, 'SIGSTOP');
    let ended = 0;
    const requests = Array.from({ length: 8 }, () => rawRequest(`GET ${gatehouse.url}/health`).finally(() => { ended += 1; }));
    const settled = Promise.allSettled(requests);
    // The others go to the one that works.
    await eventually(() => { expect(ended).toBe(7); });
    process.kill(victim, 'SIGKILL');
    expect((await settled).filter(({ status }) => status === 'rejected')).toHaveLength(1);
    await eventually(() => { expect(workersOf(gatehouse).filter((pid) => !others.includes(pid))).toHaveLength(1); });
    await eventually(() => { expect(gatehouse.output()).toMatch(new RegExp(`process ${String(victim)} ended with SIGKILL; starting another[\\s\\S]*is up in its place`)); }, 30_000);
  });

  it('go on, and lose nothing that was acknowledged, when one is killed; another takes its place', async () => {
    const api = new Api(gatehouse);
    const { accessToken: token } = await api.login(OWNER.email, OWNER.password);
    const made: string[] = [];
    let done = false;
    let broken = 0;
    const writers = Array.from({ length: 6 }, async () => {
      while (!done) {
        try {
          made.push((await api.createUser(token, { username: `u${crypto.randomUUID()}`, password: PASSWORD })).id as string);
        } catch (error) {
          // A connection to the one that was killed.
          if ((error as Error).name !== 'TypeError') throw error;
          broken += 1;
        }
      }
    });
    const [victim = 0, ...others] = workersOf(gatehouse);
    while (made.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
    process.kill(victim, 'SIGKILL');
    const before = made.length;
    await eventually(() => { expect(made.length).toBeGreaterThan(before + 5); });
    await eventually(() => { expect(workersOf(gatehouse).filter((pid) => !others.includes(pid))).toHaveLength(1); });
    await eventually(() => { expect(gatehouse.output()).toMatch(new RegExp(`process ${String(victim)} ended with SIGKILL; starting another[\\s\\S]*is up in its place`)); }, 30_000);
    done = true;
    await Promise.all(writers);
    expect(broken).toBeLessThanOrEqual(6);
    const lost = [];
    for (const id of made) if ((await api.call(`GET /users/${id}`, { token })).status !== 200) lost.push(id);
    expect(lost).toEqual([]);
  });

  it('are replaced one by one where somebody stops them one by one', async () => {
    const [first = 0] = workersOf(gatehouse);
    process.kill(first, 'SIGTERM');
    await eventually(() => { expect(isRunning(first)).toBe(false); });
    await eventually(() => { expect(workersOf(gatehouse)).toHaveLength(2); });
    expect(gatehouse.output()).toContain(`process ${String(first)} ended with exit code 0; starting another`);
  });

  it('end when the one that started them is killed, and the next start takes the database over', async () => {
    const workers = workersOf(gatehouse);
    const { accessToken: token } = await new Api(gatehouse).login(OWNER.email, OWNER.password);
    await gatehouse.stop('SIGKILL');
    await eventually(() => { expect(workers.filter(isRunning)).toEqual([]); });
    expect(postgresBelow(directory.path)).toHaveLength(1);
    await start();
    expect(postgresBelow(directory.path)).toHaveLength(1);
    expect((await new Api(gatehouse).call('GET /auth/me', { token })).status).toBe(200);
  });

  it('answer what is under way before a signal ends them, and the database is stopped last', async () => {
    const logins = Array.from({ length: 12 }, () => sendLogin(gatehouse.api, OWNER.email, OWNER.password));
    await Promise.all(logins.map(({ taken }) => taken));
    const since = performance.now();
    expect(await gatehouse.stop()).toBe(0);
    expect(performance.now() - since).toBeLessThan(10_000);
    expect((await Promise.all(logins.map(({ outcome }) => outcome))).map(({ status }) => status)).toEqual(logins.map(() => 200));
    expect(postgresBelow(directory.path)).toEqual([]);
  });
});

describe('several processes on a database of their own', () => {
  let database: TestDatabase;
  beforeAll(async () => { database = await createDatabase(); });
  afterAll(() => database.drop());

  it('execute the main file of a product, with its modules', async () => {
    const program = ['--import', '@swc-node/register/esm-register', join(__dirname, 'support', 'foreign-app', 'main.ts')];
    const product = await startGatehouse({ program, env: { DATABASE_URL: database.url, ...WITH_OWNER, WEB_CONCURRENCY: '2' } });
    expect(await everywhere(`GET ${product.url}/servers/status`)).toEqual([200]);
    expect(await everywhere(`GET ${product.url}/servers/mine`)).toEqual([401]);
    expect(await product.stop('SIGINT')).toBe(0);
  });

  it('tell once what is wrong, and end', async () => {
    const { code, output } = await runGatehouse({ env: { DATABASE_URL: database.url, ...WITH_OWNER, WEB_CONCURRENCY: '2', BOOTSTRAP_API_KEY: `gh_${'x'.repeat(43)}000000` } });
    expect(code).toBe(1);
    expect(output.match(/Gatehouse cannot start\./g)).toHaveLength(1);
    expect(output).toContain('BOOTSTRAP_API_KEY begins like one of our own keys, but its checksum is wrong');
    expect(output).not.toMatch(/\n {4}at /);
  });
});
