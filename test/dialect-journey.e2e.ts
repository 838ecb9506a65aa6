import { type Answer, type Json, type RequestOptions, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';

const PERSON = { email: 'ada@example.com', username: 'ada', password: 'plenty of words 42' };

/** One request of the journey: what it is, and what it carries besides the token. */
interface Step {
  target: string;
  options?: RequestOptions;
}

/** One wire: the same journey in its own words. */
interface Wire {
  name: string;
  env?: Record<string, string>;
  login: Step & { tokenOf: (body: Json) => string };
  me: Step & { isPerson: (body: Json) => boolean };
  /** Something that a signed-in person changes; `id` is the person's. */
  change: (id: string) => Step & { status: number };
  logout: Step & { status: number };
  /** The answer to the token after the sign-out. */
  refused: unknown;
}

const byEmail = { json: { email: PERSON.email, password: PERSON.password } };
const byUsername = { username: PERSON.username, password: PERSON.password };
const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'any' };

const WIRES: Wire[] = [
  {
    name: 'native',
    login: { target: 'POST /api/v1/auth/login', options: byEmail, tokenOf: (body) => body.accessToken },
    me: { target: 'GET /api/v1/auth/me', isPerson: (body) => body.email === PERSON.email },
    change: () => ({ target: 'PATCH /api/v1/auth/me', options: { json: { name: 'Countess' } }, status: 200 }),
    logout: { target: 'POST /api/v1/auth/logout', status: 204 },
    refused: expect.objectContaining({ status: 401, code: 'invalid_token' }),
  },
  {
    name: 'mosbot',
    login: { target: 'POST /api/v1/auth/login', options: byEmail, tokenOf: (body) => body.data.token },
    me: { target: 'GET /api/v1/auth/me', isPerson: (body) => body.data.email === PERSON.email },
    change: (id) => ({ target: `PUT /api/v1/admin/users/${id}`, options: { json: { name: 'Countess' } }, status: 200 }),
    // The product has no sign-out of its own; its tokens end with the native one.
    logout: { target: 'POST /native/v1/auth/logout', status: 204 },
    refused: { error: { message: 'Invalid or expired token', status: 401 } },
  },
  {
    name: 'os-trading-engine',
    env: ADMIN,
    login: { target: 'POST /api/v1/auth/login', options: byEmail, tokenOf: (body) => body.accessToken },
    me: { target: 'GET /api/v1/auth/me', isPerson: (body) => body.email === PERSON.email },
    change: () => ({ target: 'POST /api/v1/api-keys', options: { json: { name: 'agent', scopes: ['agents:read'] } }, status: 201 }),
    logout: { target: 'POST /api/v1/auth/logout', status: 200 },
    refused: { error: 'Token has been revoked' },
  },
  {
    name: 'osmedeus',
    login: { target: 'POST /osm/api/login', options: { json: byUsername }, tokenOf: (body) => body.token },
    me: { target: 'GET /osm/api/user', isPerson: (body) => body.username === PERSON.username },
    // The product has nothing to change; the native API, which keeps its place, does.
    change: () => ({ target: 'PATCH /api/v1/auth/me', options: { json: { name: 'Countess' } }, status: 200 }),
    logout: { target: 'POST /osm/api/logout', status: 200 },
    refused: { error: true, message: 'Invalid or expired token' },
  },
  {
    name: 'asyncat',
    login: { target: 'POST /api/auth/login', options: byEmail, tokenOf: (body) => body.token },
    me: { target: 'GET /api/auth/me', isPerson: (body) => body.user.email === PERSON.email },
    change: () => ({ target: 'PUT /api/auth/local-account', options: { json: { name: 'Countess' } }, status: 200 }),
    logout: { target: 'POST /api/auth/logout', status: 200 },
    refused: { success: false, error: 'Invalid or expired token' },
  },
  {
    name: 'chatops',
    login: { target: 'POST /api/v1/auth/login', options: { form: byUsername }, tokenOf: (body) => body.access_token },
    me: { target: 'GET /api/v1/auth/me', isPerson: (body) => body.username === PERSON.username },
    change: () => ({ target: 'PUT /api/v1/auth/me', options: { json: { full_name: 'Countess' } }, status: 200 }),
    logout: { target: 'POST /api/v1/auth/logout', status: 200 },
    refused: { detail: 'Could not validate credentials' },
  },
];

describe.each(WIRES)('the journey through $name', ({ name, env, login, me, change, logout, refused }) => {
  let database: TestDatabase;
  let gatehouse: Gatehouse;

  const take = ({ target, options = {} }: Step, token?: string): Promise<Answer<Json>> => {
    const [method = '', path = ''] = target.split(' ');
    return send(`${method} ${gatehouse.url}${path}`, { ...options, ...(token === undefined ? {} : { token }) });
  };

  beforeAll(async () => {
    database = await createDatabase();
    gatehouse = await startGatehouse({
      env: {
        DATABASE_URL: database.url,
        ...(name === 'native' ? {} : { DIALECTS: name }),
        BOOTSTRAP_OWNER_EMAIL: PERSON.email,
        BOOTSTRAP_OWNER_USERNAME: PERSON.username,
        BOOTSTRAP_OWNER_PASSWORD: PERSON.password,
        ...env,
      },
    });
  });

  afterAll(async () => {
    await gatehouse.stop();
    await database.drop();
  });

  it('signs in, says who that is, changes something, signs out, and is refused', async () => {
    const signedIn = await take(login);
    expect(signedIn.status).toBe(200);
    const token = login.tokenOf(signedIn.body);

    const who = await take(me, token);
    expect(who.status).toBe(200);
    expect(me.isPerson(who.body)).toBe(true);

    const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string };
    const { status, ...changing } = change(sub);
    expect((await take(changing, token)).status).toBe(status);

    expect((await take(logout, token)).status).toBe(logout.status);
    const after = await take(me, token);
    expect(after.status).toBe(401);
    expect(after.body).toEqual(refused);
  });
});
