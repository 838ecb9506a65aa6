import { join } from 'node:path';
import { Api, type Json, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { owner, type Person, person, refusal } from './support/people.js';
import { WITH_OWNER } from './support/suite.js';

const PROGRAM = ['--import', '@swc-node/register/esm-register', join(__dirname, 'support', 'foreign-app', 'main.ts')];

describe('a module of someone else’s', () => {
  let database: TestDatabase;
  let product: Gatehouse;
  let api: Api;
  let boss: Person;
  let member: Person;
  const call = (target: string, options: object = {}) => {
    const [method = '', path = ''] = target.split(' ');
    return send(`${method} ${product.url}${path}`, options);
  };

  beforeAll(async () => {
    database = await createDatabase();
    product = await startGatehouse({ program: PROGRAM, env: { DATABASE_URL: database.url, ...WITH_OWNER } });
    api = new Api(product);
    boss = await owner(api);
    member = await person(api, boss.token, 'member');
  });
  afterAll(async () => {
    expect(await product.stop()).toBe(0);
    await database.drop();
  });

  type Caller = 'nobody' | 'member' | 'owner' | 'key' | 'otherKey' | 'badToken';
  const OK = { status: 200 };
  const WHO = { status: 401, code: 'missing_credential' };
  const BAD = { status: 401, code: 'invalid_token' };
  const ROLE = { status: 403, code: 'insufficient_role' };
  const SCOPE = { status: 403, code: 'insufficient_scope' };

  it.each<[string, Record<Caller, { status: number; code?: string }>]>([
    ['GET /servers/status', { nobody: OK, member: OK, owner: OK, key: OK, otherKey: OK, badToken: OK }],
    ['GET /servers/mine', { nobody: WHO, member: OK, owner: OK, key: SCOPE, otherKey: SCOPE, badToken: BAD }],
    ['POST /servers/restart', { nobody: WHO, member: ROLE, owner: { status: 201 }, key: SCOPE, otherKey: SCOPE, badToken: BAD }],
    ['GET /servers', { nobody: WHO, member: OK, owner: OK, key: OK, otherKey: SCOPE, badToken: BAD }],
    ['GET /catalogue', { nobody: OK, member: OK, owner: OK, key: OK, otherKey: OK, badToken: OK }],
    ['GET /catalogue/prices', { nobody: WHO, member: OK, owner: OK, key: SCOPE, otherKey: OK, badToken: BAD }],
  ])('%s is guarded by its decorators alone', async (target, expected) => {
    const key = async (scopes: string[]) => ({ apiKey: (await api.createKey(member.token, scopes)).key as string });
    const callers: Record<Caller, object> = {
      nobody: {},
      member: { token: member.token },
      owner: { token: boss.token },
      key: await key(['servers:*']),
      otherKey: await key(['prices:read']),
      badToken: { token: `${member.token}x` },
    };
    for (const [caller, options] of Object.entries(callers)) {
      const { status, body } = await call(target, options);
      expect({ caller, status, ...(status < 400 ? {} : { code: body.code as string }) }).toEqual({ caller, ...expected[caller as Caller] });
    }
  });

  it('is told who calls', async () => {
    expect((await call('GET /servers/mine', { token: member.token })).body).toEqual({
      principal: { type: 'user', userId: member.id, sessionId: expect.any(String), role: 'member' },
    });
    const resource = { type: 'server', id: '7' };
    const { id, key } = await api.createKey(member.token, ['servers:read'], { resource });
    expect((await call('GET /servers', { apiKey: key as string })).body).toEqual({
      principal: { type: 'api-key', apiKeyId: id, userId: member.id, role: 'member', scopes: ['servers:read'], resource },
    });
    expect((await call('GET /servers/status', { token: boss.token })).body).toEqual({ principal: null });
  });

  it('has its bodies validated and its errors rendered like the native ones', async () => {
    const create = (json: unknown) => call('POST /servers', { token: boss.token, json });
    expect((await create({ name: 'a' })).status).toBe(201);
    expect(refusal(await create({ name: 5 }))).toEqual({ status: 422, code: 'validation_failed', fields: ['name'] });
    expect(refusal(await create({ name: 'a', more: 1 }))).toEqual({ status: 422, code: 'validation_failed', fields: ['more'] });
    const taken = await create({ name: 'taken' });
    expect(taken.body).toEqual({
      type: 'about:blank', title: 'Conflict', status: 409, detail: 'That name is taken.', instance: '/servers', code: 'conflict', requestId: taken.headers.get('x-request-id'),
    });
    expect((await call('GET /servers/lost', { token: boss.token })).body).toMatchObject({ status: 404, code: 'not_found', detail: 'No server is lost.' });
  });

  describe('below the paths of dialects', () => {
    const json = (message: string) => ({
      mosbot: { error: { message, status: 404 } }, 'os-trading-engine': { error: message }, osmedeus: { error: true, message }, asyncat: { success: false, error: message },
    });

    it.each([['mosbot,osmedeus,asyncat'], ['os-trading-engine']])('has its own "not found" told in their form: %s', async (dialects) => {
      const env = { DIALECTS: dialects, DATABASE_URL: database.url, ENABLED_AUTH_API: 'false', ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'plenty of words 43' };
      const another = await startGatehouse({ program: PROGRAM, env });
      const paths = { mosbot: '/api/v1', 'os-trading-engine': '/api/v1', osmedeus: '/osm/api', asyncat: '/api/auth' };
      for (const dialect of dialects.split(',') as (keyof typeof paths)[]) {
        for (const [route, message] of [['lost', 'No workflow is lost.'], ['gone', 'Not found'], ['nowhere', 'Not found']] as const) {
          const { status, body } = await send(`GET ${another.url}${paths[dialect]}/workflows/${route}`);
          expect({ dialect, status, body }).toEqual({ dialect, status: 404, body: json(message)[dialect] });
        }
      }
      expect(await another.stop()).toBe(0);
    });
  });

  it('is in the document, with its security and its refusals', async () => {
    const { paths } = (await call('GET /openapi.json')).body as { paths: Record<string, Record<string, Json>> };
    const documented = (path: string, method = 'get') => {
      const operation = paths[path]?.[method];
      return [operation.security.flatMap((one: object) => Object.keys(one)), Object.keys(operation.responses as object).filter((status) => /^40[13]$/.test(status))];
    };
    const person = ['password', 'accessToken'];
    expect(documented('/servers/status')).toEqual([[], []]);
    expect(documented('/servers/mine')).toEqual([person, ['401', '403']]);
    expect(documented('/servers/restart', 'post')).toEqual([person, ['401', '403']]);
    expect(documented('/servers')).toEqual([[...person, 'apiKey'], ['401', '403']]);
    expect(documented('/catalogue')).toEqual([[], []]);
    expect(documented('/catalogue/prices')).toEqual([[...person, 'apiKey'], ['401', '403']]);
    expect(paths['/servers']?.['get'].responses['403'].description).toContain('`servers:read`');
    expect(paths['/servers/restart']?.['post'].responses['403'].description).toContain('`admin`');
  });
});
