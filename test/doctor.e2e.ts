import { hashSync } from 'bcrypt';
import { Pool } from 'pg';
import { Api, eventually, type Json, send } from './support/client.js';
import { type Gatehouse, startGatehouse, TEST_JWT_SECRET } from './support/gatehouse.js';
import { owner, type Person, person } from './support/people.js';
import { type OwnPostgres, startPostgres } from './support/postgres.js';
import { OWNER, WITH_OWNER } from './support/suite.js';

/** Nothing of the quick settings of other suites that the doctor has something to say about. */
const SOUND = { BCRYPT_COST: undefined, RATE_LIMIT_ENABLED: undefined };

let postgres: OwnPostgres;
let url: string;
/** As a superuser: for looking and for changing what an operator may change. */
let database: Pool;

beforeAll(async () => {
  postgres = await startPostgres({ durable: true });
  await postgres.pool.query("CREATE ROLE doctored LOGIN PASSWORD 'pass-word'");
  const made = new URL(await postgres.createDatabase('doctored', 'OWNER doctored'));
  made.username = 'doctored';
  made.password = 'pass-word';
  url = made.href;
  database = new Pool({ connectionString: postgres.url('doctored'), max: 2 });
  // The first start makes the owner, whose variables are then taken away.
  await (await startGatehouse({ env: { DATABASE_URL: url, ...WITH_OWNER, ...SOUND } })).stop();
});
afterAll(async () => {
  await database.end();
  await postgres.stop();
});

// Servers come and go, and say what they see every half minute.
jest.setTimeout(180_000);

describe('GET /doctor', () => {
  let gatehouse: Gatehouse;
  let api: Api;
  let boss: Person;

  beforeAll(async () => {
    gatehouse = await startGatehouse({ env: { DATABASE_URL: url, ...SOUND } });
    api = new Api(gatehouse);
    boss = await owner(api);
    // So that trying some on it takes no time.
    await database.query("UPDATE users SET password_hash = $1 WHERE role = 'owner'", [hashSync(OWNER.password, 4)]);
  });
  afterAll(() => gatehouse.stop());

  /** What is found, once all of it has been looked for. */
  async function examine(at: Api = api): Promise<string[]> {
    let findings: Json[] = [];
    await eventually(async () => {
      const { body } = await at.call('GET /doctor', { token: boss.token });
      expect(body).toMatchObject({ complete: true });
      findings = body.findings as Json[];
    }, 60_000);
    for (const secret of [OWNER.password, TEST_JWT_SECRET, 'pass-word']) expect(JSON.stringify(findings)).not.toContain(secret);
    return findings.map(({ severity, id }) => `${severity as string} ${id as string}`);
  }
  const sql = (statement: string, values: unknown[] = []) => database.query(statement, values);

  /** Looks at what is found with another server beside the first, or by that server itself. */
  async function withAnother(env: Record<string, string | undefined>, look: (another: Api) => Promise<void>): Promise<void> {
    const another = await startGatehouse({ env: { DATABASE_URL: url, ...SOUND, ...env } });
    await look(new Api(another)).finally(() => another.stop());
    await eventually(async () => { expect(await examine()).toEqual([]); });
  }

  it('finds nothing where nothing is wrong', async () => {
    expect(await examine()).toEqual([]);
  });

  it('is for owners alone', async () => {
    const admin = await person(api, boss.token, 'admin');
    const { key } = await api.createKey(boss.token, ['*']);
    expect((await api.call('GET /doctor', { token: admin.token })).body).toMatchObject({ status: 403, code: 'insufficient_role' });
    expect((await api.call('GET /doctor', { apiKey: key as string })).body).toMatchObject({ status: 403, code: 'insufficient_scope' });
    expect((await api.call('GET /doctor')).status).toBe(401);
  });

  it('finds events that no web hook took', async () => {
    await sql(`INSERT INTO webhook_deliveries (id, event_id, endpoint, attempts, dead_at, last_error)
      SELECT gen_random_uuid(), id, 'abc', 8, now(), 'it answered 500' FROM audit_events LIMIT 3`);
    expect(await examine()).toEqual(['warning webhooks-dead']);
    await sql('DELETE FROM webhook_deliveries');
    expect(await examine()).toEqual([]);
  });

  it('finds a secret that has been in use for more than a year', async () => {
    const age = (days: number) => sql("UPDATE secret_ages SET first_seen_at = now() - make_interval(days => $1) WHERE name = 'JWT_SECRET' RETURNING *", [days]);
    // Nothing that could be compared with a guess without work, and never the secret.
    const [row] = (await age(364)).rows as { salt: Buffer; fingerprint: Buffer }[];
    expect([row?.salt.length, row?.fingerprint.length, row?.fingerprint.includes(TEST_JWT_SECRET)]).toEqual([16, 32, false]);
    expect(await examine()).toEqual([]);
    await age(367);
    expect(await examine()).toEqual(['warning jwt-secret-old']);
    // Another start with the same secret makes it no younger; with another one it is new.
    await withAnother({}, async (another) => { expect(await examine(another)).toEqual(['warning jwt-secret-old']); await age(0); });
  });

  it('finds a former secret that no session needs any more', async () => {
    await withAnother({ JWT_SECRET_PREVIOUS: [...TEST_JWT_SECRET].reverse().join('') }, async (another) => {
      await eventually(async () => { expect((await sql("SELECT FROM secret_ages WHERE name = 'JWT_SECRET_PREVIOUS'")).rowCount).toBe(1); });
      const age = (days: number) => sql("UPDATE secret_ages SET first_seen_at = now() - make_interval(days => $1) WHERE name = 'JWT_SECRET_PREVIOUS'", [days]);
      await age(90);
      expect(await examine(another)).toEqual([]);
      await age(92);
      expect(await examine(another)).toEqual(['warning jwt-secret-previous-kept']);
    });
  });

  it('finds servers that each remember for themselves who is signed in', async () => {
    await withAnother({ PRINCIPAL_CACHE: 'memory' }, async () => {
      await eventually(async () => { expect(await examine()).toEqual(['error principal-cache-not-shared']); });
    });
  });

  it('finds pools that are together more than the database takes', async () => {
    await withAnother({ DATABASE_POOL_SIZE: '95' }, async () => {
      await eventually(async () => { expect(await examine()).toEqual(['error database-connections-short']); });
    });
  });

  it('finds a server that works as a superuser', async () => {
    const superuser = new URL(postgres.url('doctored'));
    await withAnother({ DATABASE_URL: superuser.href }, async (another) => { expect(await examine(another)).toEqual(['notice database-superuser']); });
  });

  it('finds the password of the first owner in the environment once the owner has signed in', async () => {
    await withAnother(WITH_OWNER, async (another) => { expect(await examine(another)).toEqual(['warning bootstrap-password-kept']); });
  });

  it('finds a database that a newer version has worked on', async () => {
    await sql("INSERT INTO migrations (timestamp, name) VALUES (20990101000000, 'FarAhead20990101000000')");
    expect(await examine()).toEqual(['warning database-newer']);
    await sql("DELETE FROM migrations WHERE name LIKE 'FarAhead%'");
  });

  it('finds a database that forgets in a crash', async () => {
    await postgres.set('synchronous_commit', 'off');
    await eventually(async () => { expect(await examine()).toEqual(['warning database-not-durable']); });
    await postgres.set('fsync', 'off');
    await eventually(async () => { expect(await examine()).toEqual(['error database-not-durable']); });
    await postgres.set('fsync', null);
    await postgres.set('synchronous_commit', null);
    await eventually(async () => { expect(await examine()).toEqual([]); });
  });

  it('finds what it may not look at', async () => {
    await sql('ALTER TABLE webhook_deliveries OWNER TO CURRENT_USER');
    expect(await examine()).toEqual(['notice database-unexamined']);
    await sql('ALTER TABLE webhook_deliveries OWNER TO doctored');
  });

  it.each([['a documented one', 'three random words 42'], ['the name of the account', 'eve'], ['the name in the address', 'Eve.Adams']])('finds an owner whose password is %s', async (_, password) => {
    const { id } = await api.createUser(boss.token, { username: 'eve', email: 'Eve.Adams@example.com', password: 'nobody knows this one', role: 'owner' }) as { id: string };
    const set = (hash: string) => sql('UPDATE users SET password_hash = $2 WHERE id = $1', [id, hash]);
    await set(hashSync(password, 4));
    expect(await examine()).toEqual(['error owner-password-known']);
    await set(hashSync(`${password} and more`, 4));
    expect(await examine()).toEqual([]);
    await api.call(`DELETE /users/${id}`, { token: boss.token });
  });

  it('finds proxies that are not trusted, from what requests show', async () => {
    await withAnother({}, async (another) => {
      await send(`GET ${another.gatehouse.url}/health`, { headers: { 'x-forwarded-for': '192.0.2.7' } });
      // Whichever of the servers is asked.
      await eventually(async () => { expect(await examine()).toEqual(['warning proxy-not-trusted']); });
    });
    await withAnother({ TRUST_PROXY: '10.0.0.0/8' }, async (another) => {
      await send(`GET ${another.gatehouse.url}/health`, { headers: { 'x-forwarded-for': '192.0.2.7' } });
      await eventually(async () => { expect(await examine(another)).toEqual(['warning proxy-not-trusted']); });
    });
    await withAnother({ TRUST_PROXY: '127.0.0.1' }, async (another) => {
      await send(`GET ${another.gatehouse.url}/health`, { headers: { 'x-forwarded-for': '192.0.2.7' } });
      expect(await examine(another)).toEqual([]);
    });
  });

  it('finds callers who come past a proxy', async () => {
    await withAnother({ TRUST_PROXY: '2' }, async (another) => {
      const call = (path: string, forwardedFor: string) => send(`GET ${another.gatehouse.url}${path}`, { headers: { 'x-forwarded-for': forwardedFor } });
      await call('/setup', '192.0.2.7, 10.0.0.1');
      await call('/health/ready', '10.0.0.1');
      expect(await examine(another)).toEqual([]);
      await call('/setup', '192.0.2.7');
      await eventually(async () => { expect(await examine(another)).toEqual(['warning proxy-passed-by']); });
    });
  });

  it('forgets a server that was killed', async () => {
    const another = await startGatehouse({ env: { DATABASE_URL: url, ...SOUND, PRINCIPAL_CACHE: 'memory' } });
    await eventually(async () => { expect(await examine()).toEqual(['error principal-cache-not-shared']); });
    await another.stop('SIGKILL');
    await sql("UPDATE server_instances SET seen_at = seen_at - interval '91 seconds' WHERE principal_cache = 'memory'");
    expect(await examine()).toEqual([]);
  });
});
