import { execFileSync } from 'node:child_process';
import { chownSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Api, type Answer, eventually, type Json, type RequestOptions, send } from './support/client.js';
import { makeDirectory, type TestDirectory } from './support/directory.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { type OwnPostgres, startPostgres } from './support/postgres.js';
import { OWNER, WITH_OWNER } from './support/suite.js';
import { openProxy, type TcpProxy } from './support/tcp-proxy.js';
import { lost, Writers } from './support/writers.js';

const POOL_SIZE = 4;
/** The promise is two seconds. A machine that has other things to do gets more, but less than waiting twice would take. */
const WITHIN_MS = 3_200;
const CREDENTIALS = { identifier: OWNER.email, password: OWNER.password };

let postgres: OwnPostgres;
let proxy: TcpProxy;
let gatehouse: Gatehouse;
let api: Api;
let token: string;
let key: string;

beforeAll(async () => {
  postgres = await startPostgres();
  proxy = await openProxy(postgres.url());
  gatehouse = await startGatehouse({
    env: { ...WITH_OWNER, DATABASE_URL: proxy.url, DATABASE_POOL_SIZE: String(POOL_SIZE), DIALECTS: 'mosbot', REGISTRATION: 'open', LOCKOUT_ATTEMPTS: '100' },
  });
  api = new Api(gatehouse);
  token = (await api.login(OWNER.email, OWNER.password)).accessToken;
  key = ((await api.createKey(token, ['users:read'])) as { key: string }).key;
});

afterAll(async () => {
  proxy.swallow(false);
  proxy.endOnArrival(false);
  postgres.thaw();
  expect(await gatehouse.stop()).toBe(0);
  expect(gatehouse.output()).not.toMatch(/nothing caught|Unhandled/);
  await proxy.cut();
  await postgres.stop();
});

/** Connections of the server to PostgreSQL, and what they are at. */
async function connections(): Promise<{ state: string }[]> {
  const { rows } = await postgres.pool.query<{ state: string }>(
    "SELECT state FROM pg_stat_activity WHERE application_name = 'gatehouse' AND backend_type = 'client backend'",
  );
  return rows;
}

/** Ends them all, whatever they are at. */
async function cutAll(): Promise<void> {
  await postgres.pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatehouse'");
}

const routes: [string, () => RequestOptions][] = [
  ['GET /auth/me', () => ({ token })],
  ['GET /users', () => ({ apiKey: key })],
  ['GET /auth/sessions', () => ({ token })],
  ['GET /auth/status', () => ({})],
  ['POST /api-keys', () => ({ token, json: { name: 'x', scopes: ['*'] } })],
  ['POST /auth/login', () => ({ json: CREDENTIALS })],
  ['POST /auth/register', () => ({ json: { email: 'new@example.com', password: 'three random words 42' } })],
  ['POST /auth/logout', () => ({ token })],
];

interface Timed { route: string; answer: Answer<Json>; took: number }

async function timed(route: string, request: Promise<Answer<Json>>): Promise<Timed> {
  const since = performance.now();
  const answer = await request;
  return { route, answer, took: performance.now() - since };
}

const call = (route: string, options: RequestOptions): Promise<Timed> => timed(route, api.call(route, options));
const callDialect = (): Promise<Timed>[] => [
  timed('dialect: me', send(`GET ${gatehouse.url}/api/v1/auth/me`, { token })),
  timed('dialect: login', send(`POST ${gatehouse.url}/api/v1/auth/login`, { json: { email: OWNER.email, password: OWNER.password } })),
];

/** Every kind of request, more of them at once than there are connections. */
function everything(): Promise<Timed>[] {
  const all = Array.from({ length: 3 }, () => [...routes.map(([route, options]) => call(route, options())), ...callDialect()]);
  return all.flat();
}

function expectUnavailable({ route, answer, took }: Timed): void {
  const { status, headers, body } = answer;
  expect([route, status]).toEqual([route, 503]);
  expect(headers.get('retry-after')).toMatch(/^\d+$/);
  if (route.startsWith('dialect')) expect(body).toEqual({ error: { message: 'Service unavailable, please try again shortly', status: 503 } });
  else expect([headers.get('content-type')?.split(';')[0], body.code]).toEqual(['application/problem+json', 'unavailable']);
  if (took >= WITHIN_MS) throw new Error(`${route} took ${took.toFixed()} ms`);
}

async function expectRecovered(): Promise<void> {
  await eventually(async () => { expect((await send(`GET ${gatehouse.url}/health/ready`)).status).toBe(200); });
  for (const { route, answer } of await Promise.all([call('GET /auth/me', { token }), call('POST /auth/login', { json: CREDENTIALS }), ...callDialect()])) {
    expect([route, answer.status]).toEqual([route, 200]);
  }
  await eventually(async () => {
    const open = await connections();
    expect(open.length).toBeLessThanOrEqual(POOL_SIZE);
    expect(open.map(({ state }) => state)).not.toContain('idle in transaction');
  });
}

describe('PostgreSQL is', () => {
  const faults: [string, () => Promise<void> | void, () => Promise<void> | void][] = [
    ['ending connections as it lets them in', async () => { proxy.endOnArrival(true); await cutAll(); }, () => { proxy.endOnArrival(false); }],
    ['gone', () => proxy.cut(), () => proxy.restore()],
    ['frozen', () => { postgres.freeze(); }, () => { postgres.thaw(); }],
    ['behind a network that swallows everything', () => { proxy.swallow(true); }, () => { proxy.swallow(false); }],
  ];

  it.each(faults)('%s: 503 in time for everything that needs it, and it comes back by itself', async (_, begin, end) => {
    // The pool is full of connections that were good a moment ago.
    for (const { answer } of await Promise.all(Array.from({ length: POOL_SIZE }, () => call('GET /auth/me', { token })))) expect(answer.status).toBe(200);
    await begin();
    try {
      (await Promise.all(everything())).forEach(expectUnavailable);
      // And those who come later.
      (await Promise.all(everything())).forEach(expectUnavailable);
      const ready = await timed('ready', send(`GET ${gatehouse.url}/health/ready`));
      expect([ready.answer.status, ready.answer.body]).toEqual([503, { status: 'unready', checks: { database: 'down', migrations: 'down' } }]);
      expect(ready.took).toBeLessThan(WITHIN_MS);
      expect((await send(`GET ${gatehouse.url}/health`)).status).toBe(200);
    } finally {
      await end();
    }
    await expectRecovered();
  });

  it('frozen in the middle of a storm of logins: nobody in the line for a hash waits for those before', async () => {
    const logins = Array.from({ length: 60 }, () => api.call('POST /auth/login', { json: CREDENTIALS }));
    // Half of them are through.
    await Promise.all(logins.slice(0, 4));
    postgres.freeze();
    const since = performance.now();
    const statuses = (await Promise.all(logins)).map(({ status }) => status);
    const took = performance.now() - since;
    postgres.thaw();
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(took).toBeLessThan(WITHIN_MS);
    await expectRecovered();
  });
});

describe('a statement that waits for a lock', () => {
  it('is given up in time, on both sides, and so is waiting for a connection meanwhile', async () => {
    const nameOf = async (): Promise<unknown> => (await postgres.pool.query('SELECT name, updated_at FROM users WHERE email = $1', [OWNER.email])).rows;
    const before = await nameOf();
    const holder = await postgres.pool.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT FROM users WHERE email = $1 FOR UPDATE', [OWNER.email]);
      const changes = Array.from({ length: 3 * POOL_SIZE }, () => call('PATCH /auth/me', { token, json: { name: 'Somebody else' } }));
      (await Promise.all(changes)).forEach(expectUnavailable);
      expect((await api.call('GET /auth/me', { token })).status).toBe(200);
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    // PostgreSQL gave up too: what was answered 503 is not done after all once the lock is free.
    await eventually(async () => { expect((await connections()).filter(({ state }) => state !== 'idle')).toEqual([]); });
    expect(await nameOf()).toEqual(before);
    expect(gatehouse.output()).toContain('canceling statement due to statement timeout');
    await expectRecovered();
  });
});

describe('connections are lost in the middle of transactions', () => {
  const restart = (): void => { postgres.kill('SIGKILL'); };

  it.each([
    ['cut by an administrator', () => cutAll(), 30],
    ['gone with the whole server, which recovers', restart, 3],
  ] as const)('%s: what was acknowledged is there, and of 5xx there is 503 alone', async (_, fault, times) => {
    const writers = await Writers.start(api, token);
    try {
      for (let round = 0; round < times; round += 1) {
        const before = writers.count;
        await fault();
        // The next one hits connections that are at work again.
        await eventually(() => { expect(writers.count).toBeGreaterThan(before); }, 20_000);
      }
    } finally {
      await writers.stop();
    }
    expect(writers.unexplained()).toEqual([]);
    expect([...writers.statuses.keys()].some((line) => line.endsWith('503'))).toBe(true);
    await expectRecovered();
    expect(await lost(api, writers.acknowledged)).toEqual([]);
  });
});

describe('a database that can only be read', () => {
  it('answers writes with 503, and reading goes on', async () => {
    await postgres.set('default_transaction_read_only', 'on');
    try {
      await eventually(async () => { expectUnavailable(await call('POST /api-keys', { token, json: { name: 'x', scopes: ['*'] } })); });
      for (const [route, options] of writes()) expectUnavailable(await call(route, options));
      expect((await send(`GET ${gatehouse.url}/health/ready`)).status).toBe(200);
      await expectReadable(gatehouse, token, key);
    } finally {
      await postgres.set('default_transaction_read_only', null);
    }
    await expectRecovered();
  });
});

describe('a full disk', () => {
  let directory: TestDirectory;
  let another: Gatehouse;

  beforeAll(() => { directory = makeDirectory(0o755); });
  afterAll(() => { directory.remove(); });

  (process.getuid?.() === 0 ? it : it.skip)('answers writes with 503, reading goes on, and writing does when there is room again', async () => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', directory.path], { stdio: 'pipe' });
    } catch {
      // A container may not mount: there is no other way to have a small disk.
      return;
    }
    try {
      const space = join(directory.path, 'space');
      mkdirSync(space, { mode: 0o700 });
      chownSync(space, postgres.uid ?? 0, postgres.uid ?? 0);
      await postgres.pool.query(`CREATE TABLESPACE small LOCATION '${space}'`);
      another = await startGatehouse({ env: { ...WITH_OWNER, DATABASE_URL: await postgres.createDatabase('small', 'TABLESPACE small') } });
      const small = new Api(another);
      const owner = (await small.login(OWNER.email, OWNER.password)).accessToken;
      const { key: smallKey } = (await small.createKey(owner, ['users:read'])) as { key: string };
      const makeKey = () => small.call('POST /api-keys', { token: owner, json: { name: 'x'.repeat(100), scopes: ['*'] } });

      const ballast = join(directory.path, 'ballast');
      fill(ballast);
      // What is left in pages that there are already is used up first.
      let made = await makeKey();
      for (let more = 0; more < 500 && made.status === 201; more += 1) made = await makeKey();
      expectUnavailable({ route: 'a key', answer: made, took: 0 });
      expect(another.output()).toContain('No space left on device');
      await expectReadable(another, owner, smallKey);

      rmSync(ballast);
      await eventually(async () => { expect((await makeKey()).status).toBe(201); });
    } finally {
      await (another as Gatehouse | undefined)?.stop();
      await postgres.pool.query('DROP DATABASE IF EXISTS small WITH (FORCE)');
      await postgres.pool.query('DROP TABLESPACE IF EXISTS small');
      execFileSync('umount', [directory.path]);
    }
  });
});

function writes(): [string, RequestOptions][] {
  return [
    ['POST /auth/login', { json: CREDENTIALS }],
    ['PATCH /auth/me', { token, json: { name: 'Somebody else' } }],
    ['POST /auth/register', { json: { email: 'new@example.com', password: 'three random words 42' } }],
    ['POST /auth/logout', { token }],
  ];
}

/** Takes all the room that is left on a disk. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [1024 * 1024, 4096]) {
      const chunk = Buffer.alloc(size, 1);
      for (;;) if (!written(file, chunk)) break;
    }
  } finally {
    closeSync(file);
  }
}

function written(file: number, chunk: Buffer): boolean {
  try {
    return writeSync(file, chunk) === chunk.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

/** Every GET route without parameters that the document knows, for the owner, for a key and for nobody. */
async function expectReadable(server: Gatehouse, ownerToken: string, apiKey: string): Promise<void> {
  const { body: document } = await send(`GET ${server.url}/openapi.json`);
  const paths = Object.keys(document.paths as object).filter((path) => document.paths[path].get !== undefined && !path.includes('{') && !path.endsWith('/ws'));
  expect(paths.length).toBeGreaterThan(8);
  for (const path of paths) {
    for (const credential of [{ token: ownerToken }, { apiKey }, {}]) {
      const { status } = await send(`GET ${server.url}${path}`, credential);
      expect([path, credential, status < 500]).toEqual([path, credential, true]);
    }
  }
  const reader = new Api(server);
  expect((await reader.call('GET /auth/me', { token: ownerToken })).status).toBe(200);
  expect((await reader.call('GET /users', { apiKey })).status).toBe(200);
}
