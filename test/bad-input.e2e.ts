import { once } from 'node:events';
import { connect } from 'node:net';
import { type Answer, type Api, type Json, send } from './support/client.js';
import { owner, type Person, refusal } from './support/people.js';
import { startSuite, type Suite } from './support/suite.js';

const ID = '01a20086-8628-74a2-bfd5-4b5a5a2dff5e';

/** Every route of the native API that reads JSON, and a field that it has. */
const JSON_ROUTES: [string, string][] = [
  ['POST /auth/login', 'password'], ['POST /auth/refresh', 'refreshToken'], ['PATCH /auth/me', 'name'],
  ['POST /auth/me/password', 'currentPassword'], ['POST /users', 'name'], [`PATCH /users/${ID}`, 'name'],
  [`POST /users/${ID}/password`, 'password'], ['POST /api-keys', 'name'], [`PATCH /api-keys/${ID}`, 'name'],
  [`POST /api-keys/${ID}/rotate`, 'overlapSeconds'], ['POST /../../setup', 'token'],
];

describe('bad input', () => {
  let suite: Suite;
  let api: Api;
  let boss: Person;
  const call = async (target: string, options: object = {}): Promise<Answer<Json>> => {
    const answer = await api.call(target, { token: boss.token, ...options });
    if (answer.status >= 400) expectProblem(answer, new URL(suite.gatehouse.api + (target.split(' ')[1] ?? '')).pathname);
    return answer;
  };
  const raw = (target: string, body: string, type = 'application/json') => call(target, { raw: body, headers: { 'content-type': type } });

  beforeAll(async () => {
    suite = await startSuite();
    api = suite.api;
    boss = await owner(api);
  });
  afterAll(() => suite.stop());

  function expectProblem({ status, headers, body }: Answer<Json>, instance: string): void {
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ type: `urn:gatehouse:error:${body.code as string}`, title: expect.any(String), status, instance, requestId: headers.get('x-request-id') });
    expect(body.requestId).toEqual(expect.any(String));
  }

  it('answers who sends much too much once all of it is sent, on a connection that stays', async () => {
    const body = `{"password":"${'x'.repeat(12 * 1024 * 1024)}"}`;
    const socket = connect(Number(new URL(suite.gatehouse.url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
    socket.write(`POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`);
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1\.1 413 [\s\S]*"payload_too_large"[\s\S]*HTTP\/1\.1 200 /);
  });

  describe.each(JSON_ROUTES)('%s', (target, field) => {
    it.each<[string, string]>([['{"a":', 'a broken object'], ['{bad}', 'no JSON'], ['{"__proto__":{"a":1}}', 'a prototype'], ['{"constructor":{"prototype":{"a":1}}}', 'a constructor'], ['\ufeff{', 'a mark']])(
      '%j is malformed', async (body) => {
        expect(refusal(await raw(target, body))).toEqual({ status: 400, code: 'malformed_body' });
      },
    );

    it.each(['[]', '[{}]', '"text"', 'null', '7', 'true'])('%s is no object', async (body) => {
      const { status, body: problem } = await raw(target, body);
      expect({ status, code: problem.code as string }).toEqual({ status: 422, code: 'validation_failed' });
    });

    it.each(['text/plain', 'application/xml', 'application/octet-stream', 'multipart/form-data; boundary=x', 'nonsense'])('%s is no JSON', async (type) => {
      expect(refusal(await raw(target, 'a=b', type))).toEqual({ status: 415, code: 'unsupported_media_type' });
    });

    it.each(['application/x-www-form-urlencoded', 'Application/X-WWW-Form-URLencoded; charset=UTF-8'])('%s is for the login alone', async (type) => {
      const { status } = await raw(target, 'nothing=known', type);
      expect(status).toBe(target.endsWith('login') ? 422 : 415);
    });

    it.each<[string, string]>([
      ['{"nobodyKnows":1}', 'nobodyKnows'], ['{"toString":1}', 'toString'], ['{"constructor":1}', 'constructor'], ['{"hasOwnProperty":1}', 'hasOwnProperty'],
      ['{"%":[]}'.replace('%', field), field], ['{"%":{}}'.replace('%', field), field], ['{"%":{"$ne":""}}'.replace('%', field), field], ['{"%":true}'.replace('%', field), field],
      [`{"${field}":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`, field],
      [`{"${field}":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, field],
    ])('%.40s: the field is named', async (body, named) => {
      const { status, body: problem } = await raw(target, body);
      expect(status).toBe(422);
      expect((problem.errors as { field: string }[]).map((error) => error.field)).toContain(named);
    });

    it('more than 1 MiB is too much', async () => {
      expect(refusal(await raw(target, `{"${field}":"${'x'.repeat(1024 * 1024)}"}`))).toEqual({ status: 413, code: 'payload_too_large' });
    });
  });

  it.each<[string, string]>([
    ['limit=0', 'limit'], ['limit=201', 'limit'], ['limit=-1', 'limit'], ['limit=abc', 'limit'], ['limit=1.5', 'limit'], ['limit=', 'limit'], ['limit=1&limit=2', 'limit'],
    ['limit=NaN', 'limit'], ['limit=Infinity', 'limit'], ['cursor=', 'cursor'], ['cursor=abc', 'cursor'], ['cursor=%00', 'cursor'], ['cursor=%zz', 'cursor'], ['cursor=a&cursor=b', 'cursor'],
    [`cursor=${Buffer.from("' OR 1=1").toString('base64url')}`, 'cursor'], [`cursor=${'a'.repeat(101)}`, 'cursor'],
    ['nobodyKnows=1', 'nobodyKnows'], ['toString=1', 'toString'], ['constructor=1', 'constructor'], ['limit[]=1', 'limit[]'],
  ])('every list refuses ?%s', async (query, field) => {
    for (const list of ['/users', '/api-keys', '/audit-events', '/auth/sessions']) {
      expect(refusal(await call(`GET ${list}?${query}`))).toEqual({ status: 422, code: 'validation_failed', fields: [field] });
    }
  });

  it.each([['search=a%00b', 'search'], ['search=', 'search'], ['search=a&search=b', 'search'], [`search=${'a'.repeat(321)}`, 'search'], ['search=a%0Ab', 'search']])(
    'a search refuses ?%s', async (query, field) => {
      expect(refusal(await call(`GET /users?${query}`))).toEqual({ status: 422, code: 'validation_failed', fields: [field] });
    },
  );

  it('every fault is told at once, once a field, with its path', async () => {
    const { body } = await call('POST /api-keys', { json: { name: '', scopes: 'x', resource: { type: 5, deep: 1 }, more: true } });
    const fields = (body.errors as { field: string; message: string }[]).map(({ field }) => field);
    expect(fields.sort()).toEqual(['more', 'name', 'resource.deep', 'resource.id', 'resource.type', 'scopes']);
    for (const { message } of body.errors as { message: string }[]) expect(message).toMatch(/^(must|is) /);
  });

  it.each([['/users/%zz'], ['/users/%c0%af'], ['/%'], [`/users/${'a'.repeat(5_000)}`], ['/users/..%2f..%2fadmin'], ['/users/%00'], [`/users/${ID}%00`]])(
    'a path such as %.40s is refused', async (path) => {
      const answer = await api.call(`GET ${path}`, { token: boss.token });
      expect([400, 404, 422]).toContain(answer.status);
      expectProblem(answer, `/api/v1${path}`);
    },
  );

  it('an unknown route is not found, whoever asks', async () => {
    for (const target of ['GET /nothing', 'PUT /users', 'DELETE /api-keys', 'GET /Users', 'POST /users/']) {
      expect(refusal(await call(target, { json: undefined }))).toEqual({ status: 404, code: 'not_found' });
      expect((await api.call(target)).status).toBe(404);
    }
  });

  it.each([
    ['{"a":', 'application/json'], [`"${'x'.repeat(1024 * 1024)}"`, 'application/json'], ['<a/>', 'application/xml'], ['a=b', 'application/x-www-form-urlencoded'], ['x', 'nonsense'],
  ])('an unknown route is not found, with whatever body: %.10s as %s', async (body, type) => {
    for (const target of ['POST /nothing', 'PUT /users']) expect(refusal(await raw(target, body, type))).toEqual({ status: 404, code: 'not_found' });
  });

  it('a caller’s request id is kept if it is harmless', async () => {
    const idOf = async (given: string) => (await call('GET /nothing', { headers: { 'x-request-id': given } })).body.requestId as string;
    expect(await idOf('trace-0123.abc:d_e')).toBe('trace-0123.abc:d_e');
    for (const bad of ['short', 'a'.repeat(129), 'with space', '{"a":"b"}', 'äöü-äöü-äöü']) expect(await idOf(bad)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('a request that is no HTTP does no harm', async () => {
    const { hostname, port } = new URL(suite.gatehouse.url);
    await new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('NONSENSE\r\n\r\n\0'));
      socket.once('close', () => { resolve(); }).once('error', reject).resume();
    });
    expect((await send(`GET ${suite.gatehouse.url}/health`)).status).toBe(200);
  });
});
