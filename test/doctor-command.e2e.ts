import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcrypt';
import { Pool } from 'pg';
import { type CliOptions, gatehouse } from './support/cli.js';
import { Api, eventually, type Json, send } from './support/client.js';
import { embeddedIn, makeDirectory, postgresBelow, type TestDirectory } from './support/directory.js';
import { freePort } from './support/free-port.js';
import { startGatehouse, TEST_JWT_SECRET } from './support/gatehouse.js';
import { type OwnPostgres, startPostgres } from './support/postgres.js';
import { OWNER, WITH_OWNER } from './support/suite.js';

type Env = Record<string, string | undefined>;

jest.setTimeout(120_000);

/** Nothing of the quick settings of other suites that the doctor has something to say about. */
const SOUND: Env = { BCRYPT_COST: undefined, RATE_LIMIT_ENABLED: undefined };
const SECRETS = [OWNER.password, TEST_JWT_SECRET, 'pass-word', 'Horse7Battery', 'Stable8Manger', 'Trough5Halter', 'do not use this value', 'my-gatehouse-key'];

let directory: TestDirectory;
beforeAll(() => { directory = makeDirectory(0o711); });
afterAll(() => { directory.remove(); });

/** Where a run without a `.env` of the project's is. */
const inDirectory = (options: CliOptions): CliOptions => ({ cwd: directory.path, ...options, env: { ...SOUND, ...options.env } });

/** Runs the doctor, and says what it found and how it ended. No secret may be in what it printed. */
async function examine(env: Env, args: readonly string[] = ['--skip-passwords']): Promise<{ code: number | null; found: string[]; findings: Json[] }> {
  const { code, stdout, stderr } = await gatehouse(['doctor', '--json', ...args], inDirectory({ env }));
  expect(SECRETS.filter((secret) => (stdout + stderr).includes(secret))).toEqual([]);
  const { findings } = JSON.parse(stdout) as { findings: Json[] };
  return { code, found: findings.map(({ severity, id }) => `${severity as string} ${id as string}`), findings };
}

describe('gatehouse doctor, on PostgreSQL', () => {
  let postgres: OwnPostgres;
  /** As a superuser: for looking and for changing what an operator may change. */
  let database: Pool;
  let env: Env;

  beforeAll(async () => {
    postgres = await startPostgres({ durable: true });
    await postgres.pool.query("CREATE ROLE doctored LOGIN PASSWORD 'pass-word'");
    env = { DATABASE_URL: await makeDatabase('doctored') };
    database = new Pool({ connectionString: postgres.url('doctored'), max: 2 });
    const server = await startGatehouse({ env: { ...env, ...WITH_OWNER } });
    // Which no request waits for, and neither does the end of a server.
    await eventually(async () => { expect((await database.query('SELECT FROM secret_ages')).rowCount).toBe(1); });
    await server.stop();
    await database.query("UPDATE users SET password_hash = $1, last_login_at = now() WHERE role = 'owner'", [hashSync(OWNER.password, 4)]);
  });
  afterAll(async () => {
    await database.end();
    await postgres.stop();
  });

  /** An empty database whose owner is an ordinary role, as that role reaches it. */
  async function makeDatabase(name: string): Promise<string> {
    const url = new URL(await postgres.createDatabase(name, 'OWNER doctored'));
    url.username = 'doctored';
    url.password = 'pass-word';
    return url.href;
  }

  it('finds nothing where nothing is wrong, and says so', async () => {
    expect(await examine(env, [])).toMatchObject({ code: 0, findings: [] });
    expect(await gatehouse(['doctor'], inDirectory({ env }))).toEqual({ code: 0, stdout: 'Nothing is wrong.\n', stderr: '' });
  });

  /** What is wrong, and what puts it there and takes it away again. */
  const PREPARED: readonly (readonly [finding: string, prepared: { env?: Env; sql?: string; undo?: string }])[] = [
    ['error database-connections-short', { env: { DATABASE_POOL_SIZE: '200' } }],
    ['error database-connections-short', { env: { DATABASE_POOL_SIZE: '50', WEB_CONCURRENCY: '2' } }],
    ['warning bootstrap-password-kept', { env: WITH_OWNER }],
    ['error owner-missing', { sql: 'UPDATE users SET disabled_at = now()', undo: 'UPDATE users SET disabled_at = NULL' }],
    ['warning jwt-secret-old', { sql: "UPDATE secret_ages SET first_seen_at = now() - interval '400 days'", undo: 'UPDATE secret_ages SET first_seen_at = now()' }],
    ['error principal-cache-not-shared', {
      sql: "INSERT INTO server_instances (id, database_pool_size, principal_cache) VALUES (gen_random_uuid(), 2, 'memory'), (gen_random_uuid(), 2, 'off')",
      undo: 'DELETE FROM server_instances',
    }],
    ['warning webhooks-dead', {
      sql: "INSERT INTO webhook_deliveries (id, event_id, endpoint, dead_at) SELECT gen_random_uuid(), id, 'abc', now() FROM audit_events LIMIT 1", undo: 'DELETE FROM webhook_deliveries',
    }],
    ['warning database-newer', { sql: "INSERT INTO migrations (timestamp, name) VALUES (1, 'FarAhead')", undo: "DELETE FROM migrations WHERE name = 'FarAhead'" }],
    ['error database-migrations-missing', { sql: 'ALTER TABLE migrations RENAME TO other_migrations', undo: 'ALTER TABLE other_migrations RENAME TO migrations' }],
    ['notice database-unexamined', { sql: 'ALTER TABLE webhook_deliveries OWNER TO CURRENT_USER', undo: 'ALTER TABLE webhook_deliveries OWNER TO doctored' }],
    ['warning database-not-durable', { sql: "ALTER ROLE doctored SET synchronous_commit = off", undo: 'ALTER ROLE doctored RESET synchronous_commit' }],
    // By an hour, by the clock that Node has.
    ['error database-clock-differs', { env: { NODE_OPTIONS: '--import=data:text/javascript,Date.now=((now)=>()=>now()+36e5)(Date.now)' } }],
    ['warning database-clock-differs', { env: { NODE_OPTIONS: '--import=data:text/javascript,Date.now=((now)=>()=>now()-5e3)(Date.now)' } }],
  ];

  it.each(PREPARED)('finds %s', async (finding, { env: more = {}, sql, undo }) => {
    if (sql !== undefined) await database.query(sql);
    try {
      const { code, found } = await examine({ ...env, ...more });
      expect([code, found]).toEqual([finding.startsWith('error') ? 7 : finding.startsWith('warning') ? 6 : 0, [finding]]);
    } finally {
      if (undo !== undefined) await database.query(undo);
    }
  });

  it('finds a server that works as a superuser', async () => {
    expect(await examine({ DATABASE_URL: postgres.url('doctored') })).toMatchObject({ code: 0, found: ['notice database-superuser'] });
  });

  it('finds an owner with a password out of the lists, which a server would not try', async () => {
    const set = (password: string) => database.query("UPDATE users SET password_hash = $1 WHERE role = 'owner'", [hashSync(password, 4)]);
    await set('dragon');
    const { code, found, findings } = await examine(env, []);
    expect([code, found]).toEqual([7, ['error owner-password-known']]);
    expect(findings[0].remedy).toBe(`gatehouse user set-password ${OWNER.email}`);
    await set(OWNER.password);
  });

  it('finds databases that nobody has started a server on', async () => {
    const empty = { DATABASE_URL: await makeDatabase('empty') };
    expect(await examine(empty)).toMatchObject({ code: 7, found: ['error database-migrations-missing'] });
    expect((await gatehouse(['migrate'], inDirectory({ env: empty }))).code).toBe(0);
    expect(await examine(empty)).toMatchObject({ code: 7, found: ['error owner-missing'] });
  });

  it('finds what the requests of a running server show', async () => {
    const server = await startGatehouse({ env: { ...env, ...SOUND } });
    expect((await examine(env)).found).toEqual([]);
    await send(`GET ${server.url}/health`, { headers: { 'x-forwarded-for': '192.0.2.7' } });
    await eventually(async () => { expect((await examine(env)).found).toEqual(['warning proxy-not-trusted']); }, 30_000);
    await server.stop();
    expect((await examine(env)).found).toEqual([]);
  });

  it('finds everything at once, the worst first, and each with what it means and what to do', async () => {
    const path = join(directory.path, 'api-key');
    writeFileSync(path, 'my-gatehouse-key-for-the-build-server');
    chmodSync(path, 0o644);
    const origins = Array.from({ length: 21 }, (_, at) => `http://d${String(at)}.example.com`);
    const { code, found, findings } = await examine({
      ...env, PORT: 'many', HOST: '0.0.0.0', TRUST_PROXY: 'true', JWT_SECRET: 'do not use this value, it has been in a documentation', BOOTSTRAP_API_KEY_FILE: path,
      ADMIN_EMAIL: 'ada@example.com', ADMIN_PASSWORD: 'dragon', AUTH_DISABLED: 'true', AUTH_DISABLED_REMOTE: 'true', ALLOW_DEFAULT_PASSWORD: 'true', ALLOW_REMOTE_FIRST_RUN: 'true',
      RATE_LIMIT_ENABLED: 'false', LOCKOUT_ATTEMPTS: '100', BCRYPT_COST: '10', CORS_ORIGIN: origins.join(), METRICS_PUBLIC: 'true', AUDIT_RETENTION_DAYS: '7',
      REDIS_URL: 'redis://redis.example.com', WEBHOOK_URLS: 'http://hooks.example.com/?token=Trough5Halter', WEBHOOK_SECRET: 'whsec_mJ8r2Vq0ZpWc5nXk7Hs1Ly4Bd9Gf3Ma6Ue0Ri2Ov5Tw=',
    });
    expect(code).toBe(7);
    expect(found).toEqual([
      'error setting-refused', 'error proxy-trusts-everybody', 'error jwt-secret-guessable', 'error api-key-guessable', 'error declared-password-known', 'error no-authentication',
      'error default-password-allowed', 'error secret-file-readable',
      'warning remote-first-run-allowed', 'warning rate-limit-off', 'warning lockout-loose', 'warning cors-over-http', 'warning cors-many-origins', 'warning metrics-public',
      'warning redis-over-plain-text', 'warning redis-without-password', 'warning webhooks-over-http', 'warning audit-kept-briefly',
      'notice password-hash-cheap', 'notice not-production',
    ]);
    for (const finding of findings) {
      expect(Object.keys(finding as object)).toEqual(['id', 'severity', 'title', 'meaning', 'remedy']);
    }
  });

  it('still says what it can when the database is away, or the settings are wrong', async () => {
    const away = { DATABASE_URL: `postgres://gatehouse:Horse7Battery@127.0.0.1:${String(await freePort())}/gatehouse` };
    const { code, found, findings } = await examine({ ...away, METRICS_PUBLIC: 'true' });
    expect([code, found]).toEqual([7, ['error database-unreachable', 'warning metrics-public']]);
    expect(findings[0].title).toContain('cannot be used: connect ECONNREFUSED');
    expect((await examine({ DATABASE_URL: 'mysql://x:Horse7Battery@y', METRICS_PUBLIC: 'true', DATA_DIR: join(directory.path, 'none') })).found)
      .toEqual(['error setting-refused', 'error database-unreachable', 'warning metrics-public']);
    // The database can be looked at without the secret of a server.
    expect((await examine({ ...env, JWT_SECRET: 'short', TRUST_PROXI: '1' })).found).toEqual(['error setting-refused', 'error setting-refused']);
  });

  it('prints for people too, with the count on standard error', async () => {
    const { code, stdout, stderr } = await gatehouse(['doctor', '--skip-passwords'], inDirectory({ env: { ...env, METRICS_PUBLIC: 'true', DATABASE_POOL_SIZE: '1000' } }));
    expect([code, stderr]).toEqual([7, 'gatehouse: The doctor found 1 error and 1 warning.\n']);
    expect(stdout).toMatch(/^ERROR {2}The servers may open 1000 connections .*\(database-connections-short\)\n {2}max_connections is .*\n {2}Remedy: Set DATABASE_POOL_SIZE/);
    expect(stdout).toContain('WARNING  METRICS_PUBLIC is on.  (metrics-public)\n');
  });
});

describe('gatehouse doctor, on the embedded database', () => {
  it('finds nothing on a server as it comes, once it has an owner, whether it runs or not', async () => {
    const env: Env = { ...embeddedIn(join(directory.path, 'data')), ...SOUND };
    expect((await examine(env)).found).toEqual(['error database-unreachable']);
    const server = await startGatehouse({ env });
    expect((await examine(env)).found).toEqual(['error owner-missing']);
    await send(`POST ${server.url}/setup`, { json: { token: server.claimToken, email: OWNER.email, password: OWNER.password } });
    const { accessToken } = await new Api(server).login(OWNER.email, OWNER.password);
    expect((await examine(env)).found).toEqual([]);
    await eventually(async () => {
      expect((await new Api(server).call('GET /doctor', { token: accessToken })).body).toEqual({ findings: [], complete: true });
    }, 60_000);
    await server.stop();
    expect(await examine(env, [])).toMatchObject({ code: 0, found: [] });
    expect(postgresBelow(directory.path)).toEqual([]);
    chmodSync(join(directory.path, 'data'), 0o777);
    expect((await examine(env)).found).toEqual(['error data-dir-open']);
  });

  it('says why it cannot look, whatever is the matter with the database', async () => {
    const dataDir = join(directory.path, 'faulty');
    const env: Env = { ...embeddedIn(dataDir), ...SOUND };
    const cluster = join(dataDir, 'postgres');
    const server = await startGatehouse({ env });
    const database = new Pool({ host: cluster, user: 'gatehouse', password: readFileSync(join(cluster, 'gatehouse.password'), 'utf8'), database: 'postgres', max: 1 });
    await database.query('ALTER DATABASE gatehouse ALLOW_CONNECTIONS false');
    await database.end();
    const refused = { code: 7, found: ['error database-unreachable'], findings: [{ title: expect.stringContaining('is not currently accepting connections') as string }] };
    expect(await examine(env)).toMatchObject(refused);
    await server.stop();
    expect(await examine(env)).toMatchObject(refused);

    writeFileSync(join(cluster, 'PG_VERSION'), '16\n');
    expect(await examine(env)).toMatchObject({ code: 7, findings: [{ title: expect.stringContaining('was made by PostgreSQL 16') as string }] });
    writeFileSync(join(cluster, 'PG_VERSION'), '18\n');
    rmSync(join(cluster, 'global', 'pg_control'));
    expect(await examine(env)).toMatchObject({ code: 7, findings: [{ title: expect.stringContaining('does not start') as string }] });
    rmSync(join(cluster, 'gatehouse.password'));
    expect(await examine(env)).toMatchObject({ code: 7, findings: [{ title: expect.stringContaining('cannot be read') as string }] });
    expect(postgresBelow(directory.path)).toEqual([]);
  });
});
