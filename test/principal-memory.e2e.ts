import { Client } from 'pg';
import { type Ended, gatehouse } from './support/cli.js';
import { eventually } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { decodeJwt } from './support/jwt.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

jest.setTimeout(180_000);

/** As in src/database/locks.ts: whoever remembers has it shared, whoever changes from outside exclusively. */
const LOCK = 0x6748_0005;
const SUSPEND = 'NOTIFY gatehouse_suspend_memory';

/** A connection that does what a command does, step by step. */
async function outsider(database: TestDatabase): Promise<Client> {
  const client = new Client({ connectionString: database.url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describe('a server that remembers whom it has checked', () => {
  let suite: Suite;
  /** Ends while the other tests run: it takes as long as a server is given to let go. */
  let unheard: Promise<{ ended: Ended; role: string }>;

  beforeAll(async () => {
    unheard = refusedByDeafServer();
    suite = await startSuite({ PRINCIPAL_CACHE: 'memory' });
  });
  afterAll(() => suite.stop());

  /** Somebody that holds the lock, and hears nothing. */
  async function refusedByDeafServer(): Promise<{ ended: Ended; role: string }> {
    const database = await createDatabase();
    await database.pool.query("INSERT INTO users (id, username, username_folded, role) VALUES (gen_random_uuid(), 'ada', 'ada', 'member')");
    const deaf = await outsider(database);
    await deaf.query('SELECT pg_advisory_lock_shared($1)', [LOCK]);
    const ended = await gatehouse(['user', 'set-role', 'ada', 'admin'], { env: { DATABASE_URL: database.url } });
    const { rows } = await database.pool.query<{ role: string }>('SELECT role FROM users');
    await deaf.end();
    await database.drop();
    return { ended, role: rows[0]?.role ?? '' };
  }

  const me = async (token: string): Promise<number> => (await suite.api.call('GET /auth/me', { token })).status;
  const revokeBehindItsBack = (token: string) =>
    suite.database.pool.query('UPDATE sessions SET revoked_at = now() WHERE id = $1', [decodeJwt(token).claims['sid']]);
  const holders = async (mode: string): Promise<number[]> =>
    (await suite.database.pool.query<{ pid: number }>(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND mode = $2 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, [LOCK, mode])).rows.map(({ pid }) => pid);
  /** A session that was ended in the database, and that the server still takes: it is in its memory, and nowhere else. */
  async function remembered(): Promise<string> {
    let token = '';
    await eventually(async () => {
      token = (await suite.api.login(OWNER.email, OWNER.password)).accessToken;
      await me(token);
      await revokeBehindItsBack(token);
      expect(await me(token)).toBe(200);
    });
    return token;
  }

  it('forgets it all when a command asks, asks PostgreSQL while the command works, and remembers again afterwards', async () => {
    const before = await remembered();
    const command = await outsider(suite.database);
    await command.query('BEGIN');
    const mine = command.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    await eventually(async () => {
      await suite.database.pool.query(SUSPEND);
      expect(await holders('ExclusiveLock')).toHaveLength(1);
    });
    await mine;
    expect(await me(before)).toBe(401);
    const meanwhile = (await suite.api.login(OWNER.email, OWNER.password)).accessToken;
    expect(await me(meanwhile)).toBe(200);
    await revokeBehindItsBack(meanwhile);
    expect(await me(meanwhile)).toBe(401);
    // As if the command were killed: nobody lets go of the lock but PostgreSQL.
    await suite.database.pool.query('SELECT pg_terminate_backend($1)', await holders('ExclusiveLock'));
    expect(await me(await remembered())).toBe(200);
  });

  it('forgets it all when its lock is gone, and takes it again', async () => {
    const before = await remembered();
    const [pid] = await holders('ShareLock');
    await suite.database.pool.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
    await eventually(async () => { expect(await me(before)).toBe(401); }, 1_000);
    await remembered();
    expect(await holders('ShareLock')).not.toEqual([pid]);
  });

  it('keeps a command from changing anything when it does not let go', async () => {
    const { ended, role } = await unheard;
    expect(ended).toMatchObject({ code: 5, stdout: '', stderr: expect.stringMatching(/does not let go .*\. Nothing was changed: /) as string });
    expect(role).toBe('member');
  });
});
