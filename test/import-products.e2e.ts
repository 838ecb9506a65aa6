import { join } from 'node:path';
import bcrypt from 'bcrypt';
import { gatehouse, gatehouseJson } from './support/cli.js';
import { type Answer, Api, type Json, type RequestOptions, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { makeDirectory, type TestDirectory } from './support/directory.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';

// Half of the server is loaded for each command.
jest.setTimeout(180_000);

/** Somebody of a table, and what the product's own wire says of them once they are signed in. */
interface Person {
  identifier: string;
  password: string;
  /** What the wire answers to a login, in part. */
  seen: Json;
}

/** A product's table, and its own way to sign in. */
interface Product {
  name: string;
  file: string;
  flags: string[];
  env?: Record<string, string | undefined>;
  login: (identifier: string, password: string) => [target: string, options: RequestOptions];
  people: Person[];
  /** Somebody whose account was switched off, and what the wire says to them. */
  switchedOff?: Person & { status: number };
  wrong: { status: number; body: Json };
}

const json = (target: string, name: string) => (identifier: string, password: string): [string, RequestOptions] =>
  [target, { json: { [name]: identifier, password } }];

const PRODUCTS: Product[] = [
  {
    name: 'mosbot',
    file: 'mosbot-users.csv',
    flags: ['--allow-owners'],
    login: json('POST /api/v1/auth/login', 'email'),
    people: [
      {
        identifier: 'grace@example.com', password: 'cobol and the navy',
        seen: { user: {
          id: '7c0d8f2e-5b1a-4c3d-9e4f-0a1b2c3d4e5f', name: 'Grace Hopper', email: 'grace@example.com', role: 'owner', active: true,
          avatar_url: 'https://example.com/grace.png', created_at: '2024-03-01T08:15:30.123Z',
        } },
      },
      { identifier: 'ADA@example.com', password: 'notes by the translator', seen: { user: { name: 'Lovelace, Ada', role: 'admin', avatar_url: null } } },
      { identifier: 'radia@example.com', password: 'I think that I shall never see', seen: { user: { name: 'Radia "Spanning" Perlman', role: 'user' } } },
    ],
    switchedOff: {
      identifier: 'former@example.com', password: 'not any more, thanks', status: 403,
      seen: { error: { message: 'Account is deactivated. Please contact an administrator.', status: 403 } },
    },
    wrong: { status: 401, body: { error: { message: 'Invalid credentials', status: 401 } } },
  },
  {
    name: 'os-trading-engine',
    file: 'os-trading-engine-users.csv',
    flags: ['--role', 'owner', '--allow-owners'],
    env: { ADMIN_EMAIL: 'trader@example.com', ADMIN_PASSWORD: 'SecurePassword123!' },
    login: json('POST /api/v1/auth/login', 'email'),
    people: [
      {
        identifier: 'trader@example.com', password: 'SecurePassword123!',
        seen: { user: { id: '550e8400-e29b-41d4-a716-446655440000', email: 'trader@example.com', createdAt: '2024-01-15T10:30:00.000Z' } },
      },
      { identifier: 'desk@example.com', password: 'buy low, sell high', seen: { user: { id: '660e8400-e29b-41d4-a716-446655440001' } } },
    ],
    wrong: { status: 401, body: { error: 'Invalid email or password' } },
  },
  {
    name: 'osmedeus',
    file: 'osmedeus-users.jsonl',
    flags: ['--role', 'owner', '--allow-owners'],
    env: { AUTH_API_KEY: 'a-key-that-is-given-here-0123456' },
    login: json('POST /osm/api/login', 'username'),
    people: [
      { identifier: 'osmedeus', password: 'your-password', seen: { token: expect.any(String) } },
      { identifier: 'scanner.two', password: 'another scan 7', seen: { token: expect.any(String) } },
    ],
    wrong: { status: 401, body: { error: true, message: 'Invalid credentials' } },
  },
  {
    name: 'asyncat',
    file: 'asyncat-users.csv',
    flags: ['--role', 'owner', '--allow-owners'],
    login: json('POST /api/auth/login', 'email'),
    people: [{
      identifier: 'admin@local', password: 'no longer changeme',
      seen: { success: true, user: { id: 'b3f1c2d4-e5a6-4789-90ab-cdef01234567', email: 'admin@local', name: 'Admin', profile_picture: null } },
    }],
    wrong: { status: 401, body: { success: false, error: 'Invalid email or password' } },
  },
  {
    name: 'chatops',
    file: 'chatops-users.csv',
    flags: [],
    login: (username, password) => ['POST /api/v1/auth/login', { form: { username, password } }],
    people: [
      {
        identifier: 'ada', password: 'пароль из многих слов',
        seen: { user: {
          id: '0b54c1aa-93cd-4f0e-8d63-2f2f3a4b5c6d', email: 'ada@example.com', username: 'ada', full_name: 'Ada Lovelace', is_active: true,
          created_at: '2024-05-01T06:07:08.123Z',
        } },
      },
      { identifier: 'bob@example.com', password: 'argon and on', seen: { user: { username: 'bob', full_name: null, created_at: '2024-05-02T04:07:08.000Z' } } },
    ],
    switchedOff: { identifier: 'eve', password: 'no entrance for me', status: 403, seen: { detail: 'Account is disabled' } },
    wrong: { status: 401, body: { detail: 'Incorrect email or password' } },
  },
];

describe.each(PRODUCTS)('the accounts of $name', ({ name, file, flags, env, login, people, switchedOff, wrong }) => {
  const path = join(__dirname, 'fixtures', 'import', file);
  let database: TestDatabase;
  let data: TestDirectory;
  let server: Gatehouse;

  beforeAll(async () => {
    database = await createDatabase();
    data = makeDirectory();
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
    data.remove();
  });

  const options = () => ({ env: { DATABASE_URL: database.url, DATA_DIR: data.path } });
  const command = ['import', 'users', path, '--from', name, ...flags];
  const signIn = (identifier: string, password: string): Promise<Answer<Json>> => {
    const [target, request] = login(identifier, password);
    return send(target.replace(' ', ` ${server.url}`), request);
  };
  const hashes = async (): Promise<string[]> =>
    (await database.pool.query<{ password_hash: string }>('SELECT password_hash FROM users ORDER BY id')).rows.map((row) => row.password_hash);

  it('are imported as they are, once, and sign in through its own wire with their old passwords', async () => {
    const count = people.length + (switchedOff === undefined ? 0 : 1);
    expect(await gatehouseJson(command, options())).toEqual({ read: count, imported: count, unchanged: 0, refused: 0, done: true, dryRun: false });
    const imported = await hashes();
    expect(await gatehouseJson(command, options())).toMatchObject({ imported: 0, unchanged: count, done: true });
    expect(await hashes()).toEqual(imported);
    server = await startGatehouse({ env: { ...options().env, DIALECTS: name, ...env } });
    for (const { identifier, password, seen } of people) {
      expect(await signIn(identifier, `${password}.`)).toMatchObject(wrong);
      expect(await signIn(identifier, password)).toMatchObject({ status: 200, body: seen });
    }
    if (switchedOff !== undefined) {
      expect(await signIn(switchedOff.identifier, switchedOff.password)).toMatchObject({ status: switchedOff.status, body: switchedOff.seen });
    }
  });

  it('have bcrypt hashes of at least the configured cost from then on', async () => {
    const { rows } = await database.pool.query<{ password_hash: string }>('SELECT password_hash FROM users WHERE disabled_at IS NULL');
    expect(rows).toHaveLength(people.length);
    for (const { password_hash: hash } of rows) expect(bcrypt.getRounds(hash.replace(/^\$2y/, '$2b'))).toBeGreaterThanOrEqual(10);
  });

  it('are the same as before when they are imported again', async () => {
    const before = await hashes();
    expect(await gatehouseJson(command, options())).toMatchObject({ imported: 0, refused: 0, done: true });
    expect(await hashes()).toEqual(before);
  });
});

describe('accounts of a table of any kind', () => {
  let database: TestDatabase;
  let server: Gatehouse;

  beforeAll(async () => {
    database = await createDatabase();
    const imported = await gatehouse(['import', 'users', join(__dirname, 'fixtures', 'import', 'generic-users.jsonl')], { env: { DATABASE_URL: database.url } });
    expect(imported).toEqual({ code: 0, stdout: '4 accounts imported, 0 unchanged, 0 lines refused.\n', stderr: '' });
    server = await startGatehouse({ env: { DATABASE_URL: database.url } });
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  it.each([
    ['scrypt', 'the password of scrypt', 'admin'],
    ['pbkdf2@example.com', 'the password of pbkdf2', 'member'],
    ['argon', 'the password of argon', 'member'],
  ])('sign in: %s', async (identifier, password, role) => {
    const api = new Api(server);
    const first = await api.login(identifier, password);
    expect(first.user).toMatchObject({ role });
    expect((await api.login(identifier, password)).user).toMatchObject({ id: first.user.id });
  });
});
