import { Api, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';

const OWNER = { email: 'owner@example.com', password: 'three random words 42' };

describe('the set-up claim', () => {
  let database: TestDatabase;
  let gatehouse: Gatehouse;
  let token: string;

  beforeEach(async () => {
    database = await createDatabase();
    gatehouse = await startGatehouse({ env: { DATABASE_URL: database.url } });
    token = gatehouse.claimToken ?? '';
  });

  afterEach(async () => {
    await gatehouse.stop();
    await database.drop();
  });

  const claim = (body: object) => send(`POST ${gatehouse.url}/setup`, { json: body });
  const status = async () => (await send(`GET ${gatehouse.api}/auth/status`)).body as object;

  it('makes the owner, once', async () => {
    expect(gatehouse.output().split(token)).toHaveLength(2);
    expect(await status()).toEqual({ setupComplete: false, authenticationEnabled: true, mode: 'local' });
    expect((await send(`GET ${gatehouse.api}/config`)).body).toMatchObject({ registration: 'closed', passwordMinLength: 12, authMode: 'local' });

    const wrong = await claim({ token: `x${token}`, ...OWNER });
    expect([wrong.status, wrong.body.code]).toEqual([401, 'invalid_token']);
    const made = await claim({ token, ...OWNER, name: 'Ada' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ email: OWNER.email, role: 'owner', name: 'Ada' });
    for (const used of [token, 'another']) {
      const again = await claim({ token: used, ...OWNER });
      expect([again.status, again.body.code]).toEqual([403, 'setup_completed']);
    }
    expect(await status()).toMatchObject({ setupComplete: true });
    await new Api(gatehouse).login(OWNER.email, OWNER.password);

    await gatehouse.stop();
    gatehouse = await startGatehouse({ env: { DATABASE_URL: database.url } });
    expect(gatehouse.claimToken).toBeNull();
  });

  it.each([
    ['no identifier', { password: OWNER.password }, 'email'],
    ['no email address', { email: 'nobody', password: OWNER.password }, 'email'],
    ['a short password', { email: OWNER.email, password: 'short' }, 'password'],
    ['a common password', { email: OWNER.email, password: 'passwordpassword' }, 'password'],
    ['no password', { email: OWNER.email }, 'password'],
    ['an empty password, as the printed command has it', { email: OWNER.email, password: '' }, 'password'],
    ['an unknown field', { ...OWNER, role: 'owner' }, 'role'],
  ])('stays open after %s', async (_, body, field) => {
    const refusal = await claim({ token, ...body });
    expect(refusal.status).toBe(422);
    expect((refusal.body.errors as { field: string }[]).map((error) => error.field)).toContain(field);
    expect((await claim({ token, username: 'boss', password: OWNER.password })).status).toBe(201);
  });

  it('runs out, and a new start opens another', async () => {
    await database.pool.query("UPDATE setup_claims SET expires_at = now() - interval '1 second'");
    const late = await claim({ token, ...OWNER });
    expect([late.status, late.body.code]).toEqual([403, 'setup_completed']);
    expect(late.body.detail).toContain('started again');
    await gatehouse.stop();
    gatehouse = await startGatehouse({ env: { DATABASE_URL: database.url } });
    expect((await claim({ token, ...OWNER })).status).toBe(401);
    expect((await claim({ token: gatehouse.claimToken, ...OWNER })).status).toBe(201);
  });

  it('makes one owner of two claims at once, on two instances', async () => {
    const other = await startGatehouse({ env: { DATABASE_URL: database.url } });
    const answers = await Promise.all([
      claim({ token, ...OWNER }),
      send(`POST ${other.url}/setup`, { json: { token: other.claimToken, email: 'second@example.com', password: OWNER.password } }),
    ]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 403]);
    expect((await database.pool.query("SELECT FROM users WHERE role = 'owner'")).rowCount).toBe(1);
    await other.stop();
  });

  it('is worth nothing where an owner came about without it', async () => {
    const open = await startGatehouse({ env: { DATABASE_URL: database.url }, argv: ['--no-auth'] });
    const made = await send(`POST ${open.api}/users`, { json: { username: 'boss', password: OWNER.password, role: 'owner' } });
    expect(made.status).toBe(201);
    for (const url of [gatehouse.url, open.url]) {
      expect((await send(`POST ${url}/setup`, { json: { token, ...OWNER } })).status).toBe(403);
    }
    await open.stop();
  });
});
