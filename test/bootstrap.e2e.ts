import { Api } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, runGatehouse, startGatehouse } from './support/gatehouse.js';

const PASSWORD = 'three random words 42';
const OTHER_PASSWORD = 'four other random words 43';
const OWN_KEY = 'gh_0000000000000000000000000000000000000000000000000';

type Variables = Record<string, string>;

let database: TestDatabase;
let gatehouse: Gatehouse | null;
let api: Api;

beforeEach(async () => {
  database = await createDatabase();
  gatehouse = null;
});

afterEach(async () => {
  await gatehouse?.stop();
  await database.drop();
});

/** Starts, or starts again, with these variables on the test's database. */
async function start(env: Variables = {}): Promise<string> {
  await gatehouse?.stop();
  gatehouse = await startGatehouse({ env: { DATABASE_URL: database.url, ...env } });
  api = new Api(gatehouse);
  return gatehouse.output();
}

async function refused(env: Variables): Promise<string> {
  await gatehouse?.stop();
  gatehouse = null;
  const { code, output } = await runGatehouse({ env: { DATABASE_URL: database.url, ...env } });
  expect(code).toBe(1);
  expect(output).not.toMatch(/\n\s+at |"stack"/);
  for (const secret of Object.values(env).filter((value) => value === PASSWORD || value === OWN_KEY)) expect(output).not.toContain(secret);
  return output;
}

const rows = async <Row = Record<string, unknown>>(query: string): Promise<Row[]> => (await database.pool.query(query)).rows as Row[];
const logins = async (identifier: string, password: string): Promise<number> =>
  (await api.call('POST /auth/login', { json: { identifier, password } })).status;

describe('BOOTSTRAP_OWNER_*', () => {
  it.each([
    ['an email', { BOOTSTRAP_OWNER_EMAIL: 'boss@example.com' }, 'boss@example.com', { email: 'boss@example.com', username: null, name: 'Owner' }],
    ['a username', { BOOTSTRAP_OWNER_USERNAME: 'boss', BOOTSTRAP_OWNER_NAME: 'The Boss' }, 'boss', { email: null, username: 'boss', name: 'The Boss' }],
  ])('makes the owner from %s once, and never touches it later', async (_, names, identifier, shown) => {
    const env = { ...names, BOOTSTRAP_OWNER_PASSWORD: PASSWORD };
    expect(await start(env)).not.toContain('/setup');
    const { accessToken: token, user } = await api.login(identifier, PASSWORD);
    expect(user).toMatchObject({ ...shown, role: 'owner' });
    expect((await api.call('PATCH /auth/me', { token, json: { name: 'Renamed', username: 'renamed' } })).status).toBe(200);
    const changed = await api.call('POST /auth/me/password', { token, json: { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD } });
    expect(changed.status).toBe(204);
    const before = await rows('SELECT * FROM users');

    // The account is called otherwise by now; the warning does not depend on its name.
    expect(await start(env)).toContain('BOOTSTRAP_OWNER_PASSWORD is still set');
    expect(await rows('SELECT * FROM users')).toEqual(before);
    expect(await logins('renamed', PASSWORD)).toBe(401);
    expect(await logins('renamed', OTHER_PASSWORD)).toBe(200);
  });

  it('does not warn before the owner has signed in', async () => {
    const env = { BOOTSTRAP_OWNER_EMAIL: 'boss@example.com', BOOTSTRAP_OWNER_PASSWORD: PASSWORD };
    await start(env);
    expect(await start(env)).not.toContain('is still set');
  });

  it('starts without the password once there is an owner', async () => {
    const names = { BOOTSTRAP_OWNER_EMAIL: 'boss@example.com', BOOTSTRAP_OWNER_USERNAME: 'boss' };
    await start({ ...names, BOOTSTRAP_OWNER_PASSWORD: PASSWORD });
    expect(await start(names)).not.toContain('BOOTSTRAP_OWNER_PASSWORD');
    expect(await logins('boss', PASSWORD)).toBe(200);
  });

  it.each<Variables>([
    { BOOTSTRAP_OWNER_EMAIL: 'boss@example.com' }, { BOOTSTRAP_OWNER_USERNAME: 'boss' },
  ])('refuses to start without the password as long as there is no owner: %j', async (names) => {
    expect(await refused(names)).toContain('BOOTSTRAP_OWNER_PASSWORD is not set: there is no owner yet');
    expect(await rows('SELECT id FROM users')).toEqual([]);
  });

  it.each(['password1234', 'Administrator', 'Boss@Example.com'])('makes no owner whose password anybody would guess: %s', async (known) => {
    const output = await refused({ BOOTSTRAP_OWNER_EMAIL: 'boss@example.com', BOOTSTRAP_OWNER_PASSWORD: known });
    expect(output).toContain('BOOTSTRAP_OWNER_PASSWORD: this password is one of those that are tried first');
    expect(output).not.toContain(known);
    expect(await rows('SELECT id FROM users')).toEqual([]);
  });

  it('does not look at the password of an owner who is there', async () => {
    const names = { BOOTSTRAP_OWNER_EMAIL: 'boss@example.com' };
    await start({ ...names, BOOTSTRAP_OWNER_PASSWORD: PASSWORD });
    await start({ ...names, BOOTSTRAP_OWNER_PASSWORD: 'password1234' });
    expect(await logins('boss@example.com', PASSWORD)).toBe(200);
  });

  it('refuses to start where the name belongs to an account that is no owner', async () => {
    await start({ REGISTRATION: 'open' });
    await api.call('POST /auth/register', { json: { email: 'boss@example.com', password: PASSWORD } });
    const output = await refused({ BOOTSTRAP_OWNER_EMAIL: 'boss@example.com', BOOTSTRAP_OWNER_PASSWORD: PASSWORD });
    expect(output).toContain('another account has this email address already');
    expect(output).toContain('BOOTSTRAP_OWNER_EMAIL');
  });
});

describe('ADMIN_EMAIL, ADMIN_PASSWORD', () => {
  const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'admin' };

  it('make an owner, whatever the password, and write nothing as long as they stay', async () => {
    await start(ADMIN);
    expect((await api.login('admin@example.com', 'admin')).user).toMatchObject({ role: 'owner', email: 'admin@example.com' });
    const state = () => Promise.all(['SELECT * FROM users', 'SELECT * FROM declared_accounts', 'SELECT id FROM audit_events', 'SELECT * FROM sessions'].map((query) => rows(query)));
    const before = await state();
    await start(ADMIN);
    expect(await state()).toEqual(before);
  });

  it('move the account to another address, and keep its sessions', async () => {
    await start(ADMIN);
    const { accessToken: token, user } = await api.login('admin@example.com', 'admin');
    await start({ ...ADMIN, ADMIN_EMAIL: 'chief@example.com' });
    expect((await api.call('GET /auth/me', { token })).body).toMatchObject({ id: user.id as string, email: 'chief@example.com' });
    expect(await rows('SELECT id FROM users')).toHaveLength(1);
    expect(await rows("SELECT action FROM audit_events WHERE action = 'bootstrap.admin_updated'")).toHaveLength(1);
  });

  it('write the address as the variable has it, letter case included', async () => {
    await start(ADMIN);
    const { accessToken: token } = await api.login('admin@example.com', 'admin');
    await start({ ...ADMIN, ADMIN_EMAIL: 'Admin@Example.com' });
    expect((await api.call('GET /auth/me', { token })).body.email).toBe('Admin@Example.com');
    expect(await logins('admin@example.com', 'admin')).toBe(200);
    expect(await rows('SELECT email FROM declared_accounts')).toEqual([{ email: 'Admin@Example.com' }]);
  });

  it('change the password and end the sessions; one that its person chose stays until the variable changes', async () => {
    await start(ADMIN);
    const { accessToken: token } = await api.login('admin@example.com', 'admin');
    await api.call('POST /auth/me/password', { token, json: { currentPassword: 'admin', newPassword: PASSWORD } });
    await start(ADMIN);
    expect((await api.call('GET /auth/me', { token })).status).toBe(200);
    expect(await logins('admin@example.com', PASSWORD)).toBe(200);
    await start({ ...ADMIN, ADMIN_PASSWORD: '1' });
    expect((await api.call('GET /auth/me', { token })).status).toBe(401);
    expect(await logins('admin@example.com', PASSWORD)).toBe(401);
    expect(await logins('admin@example.com', '1')).toBe(200);
  });

  it('refuse to start where the address is that of a member, or of another account later', async () => {
    await start({ ...ADMIN, REGISTRATION: 'open' });
    await api.call('POST /auth/register', { json: { email: 'member@example.com', password: PASSWORD } });
    const moved = await refused({ ...ADMIN, ADMIN_EMAIL: 'member@example.com' });
    expect(moved).toContain('ADMIN_EMAIL: another account has this email address already');
    await rows('DELETE FROM declared_accounts');
    const declared = await refused({ ...ADMIN, ADMIN_EMAIL: 'member@example.com' });
    expect(declared).toContain('ADMIN_EMAIL is the address of an account that is no owner');
    expect(await rows("SELECT role FROM users WHERE email = 'member@example.com'")).toEqual([{ role: 'member' }]);
  });
});

describe('BOOTSTRAP_API_KEY', () => {
  const KEY = 'ci-8f3b1c6d2a9e4075b6c1d8e2f3a4b5c6';
  const current = () => api.call('GET /api-keys/current', { apiKey: KEY });

  it('imports a key of the instance once, by its hash; the scopes follow the variable', async () => {
    await start({ BOOTSTRAP_API_KEY: KEY, BOOTSTRAP_API_KEY_SCOPES: 'users:read, servers:*' });
    const { status, body } = await current();
    expect(status).toBe(200);
    expect(body).toMatchObject({ userId: null, scopes: ['users:read', 'servers:*'] });
    expect((await api.call('GET /users', { apiKey: KEY })).status).toBe(200);
    expect((await api.call('POST /users', { apiKey: KEY, json: { username: 'x', password: PASSWORD } })).status).toBe(403);
    expect(JSON.stringify(await rows('SELECT * FROM api_keys'))).not.toContain(KEY.slice(0, 20));

    await start({ BOOTSTRAP_API_KEY: KEY });
    expect((await current()).body).toMatchObject({ id: body.id as string, scopes: ['*'] });
    expect(await rows('SELECT id FROM api_keys')).toHaveLength(1);
    expect(await rows("SELECT id FROM audit_events WHERE action = 'bootstrap.api_key_imported'")).toHaveLength(1);
  });

  it('stays revoked once it was', async () => {
    const env = { BOOTSTRAP_API_KEY: KEY, BOOTSTRAP_OWNER_USERNAME: 'boss', BOOTSTRAP_OWNER_PASSWORD: PASSWORD };
    await start(env);
    const { id } = (await current()).body as { id: string };
    const { accessToken: token } = await api.login('boss', PASSWORD);
    expect((await api.call(`DELETE /api-keys/${id}`, { token })).status).toBe(204);
    expect(await start(env)).toContain('BOOTSTRAP_API_KEY has been revoked and stays so');
    expect((await current()).status).toBe(401);
  });

  it('refuses one of our own that is incomplete', async () => {
    expect(await refused({ BOOTSTRAP_API_KEY: OWN_KEY })).toContain('BOOTSTRAP_API_KEY begins like one of our own keys, but its checksum is wrong');
  });
});
