import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from './support/agent.js';
import { type Api, eventually, type Json, send } from './support/client.js';
import { owner, PASSWORD, type Person, person, refusal, signIn } from './support/people.js';
import { type Sample, type Scrape, scrape } from './support/scrape.js';
import { startSuite, type Suite } from './support/suite.js';

const DEPLOY = join(__dirname, '..', 'deploy');
const UUID = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/;

let suite: Suite;
let api: Api;
let boss: Person;

beforeAll(async () => {
  suite = await startSuite({ PRINCIPAL_CACHE: 'memory', METRICS_PUBLIC: 'true', DIALECTS: 'osmedeus,asyncat', LOCKOUT_ATTEMPTS: '3' });
  api = suite.api;
  boss = await owner(api);
});
afterAll(() => suite.stop());

const read = (): Promise<Scrape> => scrape(suite.gatehouse.url);
const login = (identifier: string, password: string) => api.call('POST /auth/login', { json: { identifier, password } });

/** By how much the samples of a metric grew while something happened: those that did, by the values of their labels. */
async function growth(name: string, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await read();
  await work();
  const key = ({ labels }: Sample): string => Object.values(labels).join(' ');
  const of = ({ samples }: Scrape) => new Map(samples.filter((sample) => sample.name === name).map((sample) => [key(sample), sample.value]));
  const old = of(before);
  const grown = [...of(await read())].map(([labels, value]): [string, number] => [labels, value - (old.get(labels) ?? 0)]);
  return Object.fromEntries(grown.filter(([, by]) => by !== 0));
}

describe('GET /metrics', () => {
  let guarded: Api;
  const get = (options: object) => send(`GET ${guarded.gatehouse.url}/metrics`, options);
  beforeAll(async () => { guarded = await suite.startAnother({ METRICS_PUBLIC: undefined }); });

  it('answers keys with the scope, and administrators', async () => {
    const admin = await person(api, boss.token, 'admin');
    for (const scope of ['metrics:read', 'metrics:*', '*']) {
      const { key } = await api.createKey(admin.token, [scope]);
      expect((await get({ apiKey: key })).status).toBe(200);
      expect((await get({ headers: { authorization: `Bearer ${key as string}` } })).status).toBe(200);
    }
    const { status, headers, body } = await get({ token: admin.token });
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8', 'no-store']);
    expect(body).toMatch(/^# HELP /);
    expect((await get({ token: boss.token })).status).toBe(200);
  });

  it('answers nobody else', async () => {
    const member = await person(api, boss.token, 'member');
    const { key } = await api.createKey(boss.token, ['users:read', 'audit:read']);
    expect(refusal(await get({}))).toEqual({ status: 401, code: 'missing_credential' });
    expect(refusal(await get({ token: 'x.y.z' }))).toEqual({ status: 401, code: 'invalid_token' });
    expect(refusal(await get({ token: member.token }))).toEqual({ status: 403, code: 'insufficient_role' });
    expect(refusal(await get({ apiKey: key }))).toEqual({ status: 403, code: 'insufficient_scope' });
  });

  it('answers everybody with METRICS_PUBLIC, and the document says so', async () => {
    const securityOf = async (url: string) => (await send(`GET ${url}/openapi.json`)).body.paths['/metrics'].get.security as Json[];
    expect((await send(`GET ${suite.gatehouse.url}/metrics`)).status).toBe(200);
    expect(await securityOf(suite.gatehouse.url)).toEqual([]);
    expect((await securityOf(guarded.gatehouse.url)).flatMap((one) => Object.keys(one as object))).toContain('apiKey');
  });

  it('stays where it is when a dialect moves the native API', async () => {
    const moved = await suite.startAnother({ DIALECTS: 'mosbot' });
    expect((await scrape(moved.gatehouse.url)).value('gatehouse_build_info')).toBe(1);
    expect(moved.gatehouse.api).toContain('/native/v1');
    await moved.call('GET /config');
    const found = await scrape(moved.gatehouse.url);
    expect(found.value('gatehouse_http_requests_total', { method: 'GET', route: '/native/v1/config', status: '200' })).toBe(1);
  });
});

describe('requests', () => {
  it('are counted by the pattern of their route, below a dialect too', async () => {
    const secret = 'gh_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE';
    const grown = await growth('gatehouse_http_requests_total', async () => {
      await api.call(`GET /users/${boss.id}`, { token: boss.token });
      await api.call('GET /users/01a20086-8628-74a2-bfd5-4b5a5a2dff5e?x=1', { token: boss.token });
      await api.call(`GET /users/${boss.id}`);
      for (const path of [secret, `a/${secret}`, '%zz', `${boss.id}?${secret}`]) await send(`GET ${suite.gatehouse.url}/${path}`);
      await send(`POST ${suite.gatehouse.url}/osm/api/login`, { json: { username: 'nobody', password: 'x' } });
      await send(`GET ${suite.gatehouse.url}/osm/api/nowhere`);
    });
    expect(grown).toEqual({
      'GET /api/v1/users/:id 200': 1, 'GET /api/v1/users/:id 404': 1, 'GET /api/v1/users/:id 401': 1,
      'GET unknown 404': 4, 'GET unknown 400': 1, 'POST /osm/api/login 401': 1, 'GET /metrics 200': 1,
    });
    expect((await read()).text).not.toContain(secret.slice(0, 12));
  });

  it('are timed', async () => {
    const grown = await growth('gatehouse_http_request_duration_seconds_count', async () => { await login(boss.email, boss.password); });
    expect(grown).toEqual({ 'POST /api/v1/auth/login': 1, 'GET /metrics': 1 });
  });
});

describe('credentials', () => {
  let member: Person;
  beforeEach(async () => { member = await person(api, boss.token, 'member'); });

  it('logins are counted by what came of them, on every wire', async () => {
    const disabled = await person(api, boss.token, 'member');
    await api.call(`PATCH /users/${disabled.id}`, { token: boss.token, json: { disabled: true } });
    const url = suite.gatehouse.url;
    const work = async (): Promise<void> => {
      await login(member.email, PASSWORD);
      await login('nobody-at-all', 'wrong');
      await login(disabled.email, PASSWORD);
      for (let n = 0; n < 5; n += 1) await login(member.email, 'wrong');
      await send(`POST ${url}/osm/api/login`, { json: { username: 'owner', password: boss.password } });
      await send(`POST ${url}/osm/api/login`, { json: { username: 'owner', password: 'wrong' } });
      await send(`POST ${url}/api/auth/login`, { json: { email: boss.email, password: boss.password } });
      await send(`POST ${url}/osm/api/login`, { json: { username: 'owner', password: `x${'\u0301'.repeat(31)}` } });
    };
    let lockouts: Record<string, number> = {};
    const logins = await growth('gatehouse_logins_total', async () => { lockouts = await growth('gatehouse_lockouts_total', work); });
    expect(logins).toEqual({ success: 3, invalid_credentials: 5, account_disabled: 1, account_locked: 2, validation_failed: 1 });
    expect(lockouts).toEqual({ '': 1 });
  });

  it('locks are counted when they begin: of names that nobody has, and of sessions, too', async () => {
    expect(await growth('gatehouse_lockouts_total', async () => {
      for (let n = 0; n < 5; n += 1) await login('nobody-else', 'wrong');
      // The right one in time is no lock.
      for (const password of ['wrong', 'wrong', PASSWORD]) await login(member.email, password);
      for (let n = 0; n < 5; n += 1) await api.call('POST /auth/me/password', { token: member.token, json: { currentPassword: 'wrong', newPassword: 'x' } });
    })).toEqual({ '': 2 });
  });

  it('refreshes are counted, and reuse apart from other refusals', async () => {
    const refresh = async (refreshToken: string): Promise<string> => (await api.call('POST /auth/refresh', { json: { refreshToken } })).body.refreshToken as string;
    expect(await growth('gatehouse_refreshes_total', async () => {
      const second = await refresh(member.refreshToken);
      await refresh(member.refreshToken);
      await refresh(second);
      await refresh(member.refreshToken);
      await refresh(second);
      await refresh('x');
    })).toEqual({ success: 2, repeated: 1, reused: 1, invalid_grant: 2 });
  });

  it('checks of sessions are counted by what was found, and where it was found', async () => {
    const me = (token: string) => api.call('GET /auth/me', { token });
    const [other, late] = [await signIn(api, member.email, PASSWORD), await signIn(api, member.email, PASSWORD)];
    await suite.database.pool.query("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = (SELECT max(id::text)::uuid FROM sessions)");
    const gone = await person(api, boss.token, 'member');
    await api.call(`DELETE /users/${gone.id}`, { token: boss.token });
    let lookups: Record<string, number> = {};
    const checks = await growth('gatehouse_session_checks_total', async () => {
      lookups = await growth('gatehouse_principal_cache_lookups_total', async () => {
        for (let n = 0; n < 3; n += 1) await me(other.token);
        await api.call('POST /auth/logout', { token: other.token });
        await me(other.token);
        await me(late.token);
        await me(gone.token);
        await me('x.y.z');
      });
    });
    expect(checks).toEqual({ success: 4, revoked: 1, expired: 1, unknown: 1 });
    expect(lookups).toEqual({ 'memory hit': 3, 'memory miss': 4 });
  });

  it('checks of API keys are counted by what was found', async () => {
    const current = (apiKey: string) => api.call('GET /api-keys/current', { apiKey });
    const [good, revoked, expired] = await Promise.all(['a:b', 'a:c', 'a:d'].map((scope) => api.createKey(member.token, [scope]) as Promise<{ id: string; key: string }>));
    await api.call(`DELETE /api-keys/${revoked!.id}`, { token: member.token });
    await suite.database.pool.query("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1", [expired!.id]);
    expect(await growth('gatehouse_api_key_checks_total', async () => {
      for (const key of [good!.key, good!.key, revoked!.key, expired!.key, `${good!.key}x`, 'an-imported-key-that-was-never-imported']) await current(key);
    })).toEqual({ success: 2, revoked: 1, expired: 1, malformed: 1, unknown: 1 });
  });

  it('audit events are counted by action', async () => {
    expect(await growth('gatehouse_audit_events_total', async () => {
      await login(member.email, 'wrong');
      await api.call(`PATCH /users/${member.id}`, { token: boss.token, json: { name: 'x' } });
    })).toEqual({ 'login.failed': 1, 'user.updated': 1 });
  });
});

describe('what is under way', () => {
  it('passwords that are hashed, and those that wait', async () => {
    const logins = Array.from({ length: 30 }, (_, n) => login(`nobody${String(n)}`, 'wrong'));
    const hashes = await growth('gatehouse_password_hash_duration_seconds_count', async () => {
      await eventually(async () => {
        const found = await read();
        expect(found.value('gatehouse_password_hash_queue_length')).toBeGreaterThan(0);
        expect(found.value('gatehouse_password_hash_running')).toBeGreaterThan(0);
      });
      await Promise.all(logins);
    });
    expect(hashes['']).toBeGreaterThan(5);
    const after = await read();
    expect([after.value('gatehouse_password_hash_queue_length'), after.value('gatehouse_password_hash_running')]).toEqual([0, 0]);
    expect(after.value('gatehouse_password_hash_wait_seconds_count')).toBeGreaterThanOrEqual(30);
    expect(after.value('gatehouse_password_hash_wait_seconds_sum')).toBeGreaterThan(0);
  });

  it('connections to the database, those that wait for one, and whether it is ready', async () => {
    const small = await suite.startAnother({ DATABASE_POOL_SIZE: '2' });
    const idle = await scrape(small.gatehouse.url);
    expect(idle.value('gatehouse_database_pool_max_connections')).toBe(2);
    expect(idle.value('gatehouse_database_pool_waiting_requests')).toBe(0);
    expect(idle.value('gatehouse_ready')).toBe(1);
    const blocker = await suite.database.pool.connect();
    await blocker.query('BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
    const blocked = Array.from({ length: 6 }, () => small.call('GET /auth/status'));
    await eventually(async () => {
      const busy = await scrape(small.gatehouse.url);
      expect(busy.value('gatehouse_database_pool_connections')).toBe(2);
      expect(busy.value('gatehouse_database_pool_idle_connections')).toBe(0);
      expect(busy.value('gatehouse_database_pool_waiting_requests')).toBeGreaterThan(0);
      expect(busy.value('gatehouse_ready')).toBe(0);
    });
    await blocker.query('ROLLBACK');
    blocker.release();
    await Promise.all(blocked);
    await eventually(async () => { expect((await scrape(small.gatehouse.url)).value('gatehouse_ready')).toBe(1); });
  });

  it('agents', async () => {
    const { key } = await api.createKey(boss.token, ['agents:connect']);
    const agents = await Promise.all([1, 2].map(() => Agent.admitted(`${suite.gatehouse.api}/agents/ws`, key as string)));
    expect((await read()).value('gatehouse_agents_connected')).toBe(2);
    await Promise.all(agents.map((agent) => agent.leave()));
    await eventually(async () => { expect((await read()).value('gatehouse_agents_connected')).toBe(0); });
  });

  it('the event loop and the process', async () => {
    const found = await read();
    expect(found.value('process_resident_memory_bytes')).toBeGreaterThan(20e6);
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_cpu_seconds_total', 'process_open_fds']) expect(found.types.has(name)).toBe(true);
  });
});

describe('all of it', () => {
  let found: Scrape;
  beforeAll(async () => { found = await read(); });

  it('names nobody: no address, no id, no key', () => {
    expect(found.text.length).toBeGreaterThan(5_000);
    const said = found.text.replaceAll(/^#.*$/gm, '');
    expect(said).not.toMatch(UUID);
    expect(said).not.toMatch(/@|127\.0\.0\.1|member-\d|nobody|\bgh_/);
  });

  it('is of names and units as Prometheus has them', () => {
    const ours = [...found.types].filter(([name]) => name.startsWith('gatehouse_'));
    expect(ours.length).toBeGreaterThan(20);
    for (const [name, type] of ours) expect([name, type === 'counter']).toEqual([name, name.endsWith('_total')]);
    for (const [name, type] of ours) if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  });

  it('is what the page says, with its labels', () => {
    const rows = readFileSync(join(DEPLOY, 'metrics.md'), 'utf8').matchAll(/^\| `(gatehouse_\w+)` \| (\w+) \| ?(.*?) ?\|/gm);
    const page = Object.fromEntries([...rows].map(([, name = '', type, labels = '']) => [name, { type, labels: labels.replaceAll('`', '').split(', ').join() }]));
    const labelsOf = (name: string, type: string) => {
      const one = found.samples.find((sample) => sample.name === (type === 'histogram' ? `${name}_count` : name));
      return Object.keys(one?.labels ?? {}).sort((a, b) => page[name]!.labels.indexOf(a) - page[name]!.labels.indexOf(b)).join();
    };
    const ours = [...found.types].filter(([name]) => name.startsWith('gatehouse_'));
    expect(page).toEqual(Object.fromEntries(ours.map(([name, type]) => [name, { type, labels: page[name] === undefined ? '' : labelsOf(name, type) }])));
  });

  it('is what the alerts ask for, by labels that there are; and each says what it means and what to do', () => {
    const rules = readFileSync(join(DEPLOY, 'alerts.yaml'), 'utf8').split(/^ +- alert: /m).slice(1);
    expect(rules.length).toBeGreaterThan(10);
    for (const rule of rules) {
      const [alert = ''] = rule.split('\n');
      for (const part of ['expr', 'labels', 'summary', 'meaning', 'action']) expect([alert, part, new RegExp(`^ +${part}: \\S`, 'm').test(rule)]).toEqual([alert, part, true]);
      const expression = /expr: ([\s\S]*?)\n {8}(?:for|labels):/.exec(rule)?.[1] ?? '';
      const selectors = [...expression.matchAll(/\b((?:gatehouse|nodejs|process)_\w+)(?:\{(.*?)\})?/g)];
      expect([alert, selectors.length > 0 || expression.startsWith('up{')]).toEqual([alert, true]);
      for (const [, name = '', labels = ''] of selectors) {
        expect([alert, name, found.types.has(name.replace(/_bucket$|_count$/, '')) || found.types.has(name)]).toEqual([alert, name, true]);
        for (const [, label = '', operator, wanted = ''] of labels.matchAll(/(\w+)(=~|!~|=)"(.*?)"/g)) {
          if (label === 'job' || operator === '!~') continue;
          const known = found.valuesOf(name, label);
          const named = operator === '=' || /^[\w|]+$/.test(wanted) ? wanted.split('|') : [];
          expect([alert, name, named.filter((value) => !known.includes(value))]).toEqual([alert, name, []]);
        }
      }
    }
  });
});
