import { type Json, send } from './support/client.js';
import { startSuite, type Suite } from './support/suite.js';

/** All that nobody has to sign in for. Whoever adds to it opens a door. */
const PUBLIC = [
  'get /api/v1/agents/ws',
  'get /api/v1/auth/status',
  'get /api/v1/config',
  'get /health',
  'get /health/ready',
  'post /api/v1/auth/login',
  'post /api/v1/auth/refresh',
  'post /api/v1/auth/register',
  'post /setup',
];

const ID = '01a20086-8628-74a2-bfd5-4b5a5a2dff5e';

interface Operation {
  name: string;
  path: string;
  body: Json;
}

describe('the OpenAPI document', () => {
  let suite: Suite;
  let document: Json;
  let operations: Operation[];

  beforeAll(async () => {
    suite = await startSuite();
    document = (await send(`GET ${suite.gatehouse.url}/openapi.json`)).body;
    operations = Object.entries(document.paths as Record<string, Record<string, Json>>).flatMap(([path, item]) =>
      Object.entries(item).map(([method, body]) => ({ name: `${method} ${path}`, path, body: body })),
    );
  });
  afterAll(() => suite.stop());

  /** What holds for every operation but those that are named. */
  const exceptions = (holds: (operation: Operation) => boolean): string[] => operations.filter((one) => !holds(one)).map(({ name }) => name).sort();

  it('knows every route of the native API', () => {
    expect(operations.map(({ name }) => name)).toEqual(expect.arrayContaining([
      ...PUBLIC, 'post /api/v1/api-keys', 'post /api/v1/api-keys/{id}/rotate', 'get /api/v1/api-keys/current', 'get /api/v1/users', 'post /api/v1/users/{id}/unlock',
      'delete /api/v1/users/{id}/sessions', 'post /api/v1/users/{id}/password', 'get /api/v1/audit-events', 'get /api/v1/doctor', 'get /metrics', 'patch /api/v1/auth/me', 'post /api/v1/auth/logout',
    ]));
  });

  it('lists what is public, and everything else asks for a credential', async () => {
    const open: string[] = [];
    for (const { name, path } of operations) {
      const [method = ''] = name.split(' ');
      const { status, body } = await send(`${method.toUpperCase()} ${suite.gatehouse.url}${path.replace('{id}', ID)}`);
      if (status !== 401 || body.code !== 'missing_credential') open.push(name);
    }
    expect(open.sort()).toEqual(PUBLIC);
    expect(exceptions(({ body }) => (body.security as unknown[]).length > 0)).toEqual(PUBLIC);
  });

  it('serves itself and Swagger UI to everybody, and nothing else beside them', async () => {
    for (const path of ['/docs', '/openapi.json', '/openapi.yaml']) expect((await send(`GET ${suite.gatehouse.url}${path}`)).status).toBe(200);
    for (const path of ['/', '/metrics', '/docs/../package.json', '/docs/%2e%2e/%2e%2e/package.json', '/.env', '/api', '/api/v1', '/api/v1/users/']) {
      const { status } = await send(`GET ${suite.gatehouse.url}${path}`);
      expect({ path, found: status === 200 }).toEqual({ path, found: false });
    }
  });

  it('says which credentials every other route takes', () => {
    const { securitySchemes } = document.components as { securitySchemes: Record<string, Json> };
    expect(securitySchemes).toMatchObject({
      password: { type: 'oauth2', flows: { password: { tokenUrl: '/api/v1/auth/login' } } },
      accessToken: { type: 'http', scheme: 'bearer' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    });
    const schemesOf = (name: string) => (operations.find((one) => one.name === name)?.body.security as object[]).flatMap((one) => Object.keys(one));
    expect(schemesOf('get /api/v1/auth/me')).toEqual(['password', 'accessToken']);
    expect(schemesOf('get /api/v1/users')).toEqual(['password', 'accessToken', 'apiKey']);
    expect(schemesOf('get /api/v1/api-keys/current')).toEqual(['apiKey']);
    for (const { body } of operations) for (const used of body.security as object[]) expect(Object.keys(securitySchemes)).toEqual(expect.arrayContaining(Object.keys(used)));
  });

  it('gives every operation a name of its own, a summary and a tag', () => {
    const ids = operations.map(({ body }) => body.operationId as string);
    expect(new Set(ids).size).toBe(ids.length);
    expect(exceptions(({ body }) => /^[A-Z].{5,}[^.\n]$/.test(body.summary as string) && (body.tags as string[]).length === 1)).toEqual([]);
  });

  it('describes every answer, with a body where there is one, and errors as problems', () => {
    const faults: string[] = [];
    for (const { name, body } of operations) {
      for (const [status, answer] of Object.entries(body.responses as Record<string, Json>)) {
        const types = Object.keys((answer.content ?? {}) as object);
        const wanted = /^(101|204)$/.test(status) ? []
          : Number(status) >= 400 && name !== 'get /health/ready' ? ['application/problem+json']
          : name === 'get /metrics' ? ['text/plain'] : ['application/json'];
        if ((answer.description as string) === '' || JSON.stringify(types) !== JSON.stringify(wanted)) faults.push(`${name} ${status}: ${types.join()}`);
        if (wanted[0] === 'application/problem+json' && String(answer.content[wanted[0]].example?.status) !== status) faults.push(`${name} ${status}: example`);
        if (/^(423|429|503)$/.test(status) && answer.headers?.['Retry-After'] === undefined) faults.push(`${name} ${status}: Retry-After`);
      }
    }
    expect(faults).toEqual([]);
  });

  it('names the errors that a route may answer', () => {
    const guarded = (one: Operation) => (one.body.security as unknown[]).length > 0;
    const has = (one: Operation, ...statuses: string[]) => statuses.every((status) => status in (one.body.responses as object));
    expect(exceptions((one) => !guarded(one) || has(one, '401', '503'))).toEqual([]);
    expect(exceptions((one) => !guarded(one) || has(one, '403'))).toEqual(['get /api/v1/api-keys/current']);
    const readsNothing = ['get /api/v1/config', 'get /health'];
    expect(exceptions((one) => has(one, '503'))).toEqual(readsNothing);
    expect(operations.filter((one) => has(one, '426')).map(({ name }) => name)).toEqual(['get /api/v1/agents/ws']);
    expect(exceptions((one) => one.body.requestBody === undefined || has(one, '400', '413', '415', '422', '503'))).toEqual([]);
    expect(exceptions((one) => !one.path.includes('{id}') || has(one, '404', '422'))).toEqual([]);
    expect(exceptions((one) => !has(one, '423'))).toEqual(['patch /api/v1/auth/me', 'post /api/v1/auth/login', 'post /api/v1/auth/me/password']);
    expect(operations.filter((one) => has(one, '429')).map(({ name }) => name).sort()).toEqual([
      'get /api/v1/agents/ws', 'patch /api/v1/auth/me', 'post /api/v1/auth/login', 'post /api/v1/auth/me/password', 'post /api/v1/auth/refresh', 'post /api/v1/auth/register', 'post /setup',
    ]);
    expect(operations.filter((one) => has(one, '409')).map(({ name }) => name).sort()).toEqual([
      'delete /api/v1/users/{id}', 'patch /api/v1/auth/me', 'patch /api/v1/users/{id}', 'post /api/v1/auth/register', 'post /api/v1/users', 'post /setup',
    ]);
  });

  it('takes a form for the login alone', () => {
    const forms = operations.filter(({ body }) => 'application/x-www-form-urlencoded' in ((body.requestBody?.content ?? {}) as object));
    expect(forms.map(({ name }) => name)).toEqual(['post /api/v1/auth/login']);
  });

  it('leaves no reference open, no schema empty and no mark of the decorators behind', () => {
    const faults: string[] = [];
    walk(document, '#', (value, path) => {
      const { $ref } = value;
      if (typeof $ref === 'string' && resolve($ref) === undefined) faults.push(`${path}: ${$ref}`);
      if (/(schema|properties\/\w+|items)$/.test(path) && !path.endsWith('/properties/items') && Object.keys(value).length === 0) faults.push(`${path} is empty`);
      if (/schemas\/\w+$/.test(path) && Object.keys((value['properties'] ?? {})).length === 0) faults.push(`${path} has no fields`);
      for (const key of Object.keys(value)) if (key.startsWith('x-')) faults.push(`${path}/${key}`);
    });
    expect(faults).toEqual([]);
    const schemas = Object.keys(document.components.schemas as object);
    const text = JSON.stringify(document);
    expect(schemas.filter((name) => !text.includes(`"#/components/schemas/${name}"`))).toEqual([]);
  });

  function resolve($ref: string): unknown {
    return $ref.split('/').slice(1).reduce<Json>((at, key) => at?.[key], document);
  }
});

function walk(value: unknown, path: string, look: (value: Record<string, unknown>, path: string) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) look(value as Record<string, unknown>, path);
  for (const [key, child] of Object.entries(value)) walk(child, `${path}/${key}`, look);
}
