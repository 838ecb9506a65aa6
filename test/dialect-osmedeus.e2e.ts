import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, type Json, type RequestOptions, send } from './support/client.js';
import { makeDirectory, type TestDirectory } from './support/directory.js';
import { decodeJwt } from './support/jwt.js';
import { startSuite, type Suite } from './support/suite.js';

const USER = { username: 'osmedeus', password: 'your-password' };
const error = (message: string) => ({ error: true, message });
const BAD_BODY = error('Invalid request body');
const BAD_CREDENTIALS = error('Invalid credentials');
const NO_HEADER = error('Missing authorization header');
const BAD_TOKEN = error('Invalid or expired token');
const BAD_KEY = error('Invalid or missing API key');

describe('the dialect osmedeus', () => {
  let suite: Suite;
  let data: TestDirectory;
  let base: string;
  let key: string;

  beforeAll(async () => {
    data = makeDirectory();
    suite = await startSuite({
      DIALECTS: 'osmedeus',
      DATA_DIR: data.path,
      BOOTSTRAP_OWNER_EMAIL: undefined,
      BOOTSTRAP_OWNER_USERNAME: USER.username,
      BOOTSTRAP_OWNER_PASSWORD: USER.password,
      TRUST_PROXY: 'true',
    });
    base = `${suite.gatehouse.url}/osm/api`;
    key = /x-osm-api-key: (\S+)/.exec(suite.gatehouse.output())![1]!;
  });
  afterAll(async () => {
    await suite.stop();
    data.remove();
  });

  const call = (target: string, options: RequestOptions = {}): Promise<Answer<Json>> => {
    const [method = '', path = ''] = target.split(' ');
    return send(`${method} ${base}${path}`, options);
  };
  const login = async (): Promise<string> => (await call('POST /login', { json: USER })).body.token as string;
  const cookieOf = ({ headers }: Answer<Json>): string | undefined => headers.getSetCookie().find((one) => one.startsWith('osmedeus_session='));
  const withCookie = (token: string, headers: Record<string, string> = {}) => ({ headers: { cookie: `osmedeus_session=${token}`, ...headers } });

  describe('answers', () => {
    it.each<[string, string, RequestOptions, number, unknown]>([
      ['a login', 'POST /login', { json: USER }, 200, { token: expect.any(String) }],
      ['a login with more fields', 'POST /login', { json: { ...USER, remember: 1 } }, 200, { token: expect.any(String) }],
      ['a login in other letters', 'POST /login', { json: { ...USER, username: 'OSMEDEUS' } }, 200, { token: expect.any(String) }],
      ['a wrong password', 'POST /login', { json: { ...USER, password: 'wrong' } }, 401, BAD_CREDENTIALS],
      ['an unknown user', 'POST /login', { json: { username: 'nobody', password: 'wrong' } }, 401, BAD_CREDENTIALS],
      ['empty texts', 'POST /login', { json: { username: '', password: '' } }, 401, BAD_CREDENTIALS],
      ['no password', 'POST /login', { json: { username: 'osmedeus' } }, 400, BAD_BODY],
      ['a number for a password', 'POST /login', { json: { username: 'osmedeus', password: 1 } }, 400, BAD_BODY],
      ['null for a username', 'POST /login', { json: { username: null, password: 'x' } }, 400, BAD_BODY],
      ['an array', 'POST /login', { json: ['osmedeus', 'x'] }, 400, BAD_BODY],
      ['a text', 'POST /login', { json: 'osmedeus' }, 400, BAD_BODY],
      ['nothing', 'POST /login', {}, 400, BAD_BODY],
      ['broken JSON', 'POST /login', { raw: '{"username":', headers: { 'content-type': 'application/json' } }, 400, BAD_BODY],
      ['an empty body said to be JSON', 'POST /login', { raw: '', headers: { 'content-type': 'application/json' } }, 400, BAD_BODY],
      ['a form', 'POST /login', { form: USER }, 400, BAD_BODY],
      ['a form in capitals', 'POST /login', { raw: 'username=osmedeus&password=your-password', headers: { 'content-type': 'APPLICATION/X-WWW-FORM-URLENCODED' } }, 400, BAD_BODY],
      ['XML', 'POST /login', { raw: '<a/>', headers: { 'content-type': 'text/xml' } }, 400, BAD_BODY],
      ['marks without end', 'POST /login', { json: { ...USER, password: 'a\u0301'.padEnd(60, '\u0301') } }, 400, error('password must not have more than 30 combining marks in a row')],
      ['more than the limit', 'POST /login', { raw: `"${'x'.repeat(1 << 20)}"`, headers: { 'content-type': 'application/json' } }, 413, error('Request body is too large')],
      ['a logout by nobody', 'POST /logout', {}, 200, { message: 'Logged out successfully' }],
      ['a logout with a bad token', 'POST /logout', { token: 'bad' }, 200, { message: 'Logged out successfully' }],
      ['a logout that says JSON and sends none', 'POST /logout', { headers: { 'content-type': 'application/json' } }, 200, { message: 'Logged out successfully' }],
      ['no credential', 'GET /user', {}, 401, NO_HEADER],
      ['an empty header', 'GET /user', { headers: { authorization: '' } }, 401, NO_HEADER],
      ['another scheme', 'GET /user', { headers: { authorization: 'Basic eDp5' } }, 401, error('Invalid authorization header format')],
      ['a bare token', 'GET /user', { headers: { authorization: 'eyJ' } }, 401, error('Invalid authorization header format')],
      ['Bearer and nothing', 'GET /user', { headers: { authorization: 'Bearer' } }, 401, error('Invalid authorization header format')],
      ['a bad token', 'GET /user', { token: 'bad' }, 401, BAD_TOKEN],
      ['a wrong key', 'GET /user', { headers: { 'x-osm-api-key': 'x'.repeat(32) } }, 401, BAD_KEY],
      ['an empty key', 'GET /user', { headers: { 'x-osm-api-key': '' } }, 401, BAD_KEY],
      ['white space for a key', 'GET /user', { headers: { 'x-osm-api-key': '   ' } }, 401, BAD_KEY],
      ['a placeholder for a key', 'GET /user', { headers: { 'x-osm-api-key': 'NULL' } }, 401, BAD_KEY],
      ['another placeholder', 'GET /user', { headers: { 'x-osm-api-key': 'undefined' } }, 401, BAD_KEY],
      ['the third placeholder', 'GET /user', { headers: { 'x-osm-api-key': 'Nil' } }, 401, BAD_KEY],
      ['the native API’s key header', 'GET /user', { apiKey: 'x'.repeat(32) }, 401, NO_HEADER],
      ['an unknown route', 'GET /workflows', {}, 404, error('Not found')],
      ['an unknown route, with broken JSON', 'POST /workflows', { raw: '{', headers: { 'content-type': 'application/json' } }, 404, error('Not found')],
      ['an unknown route, with XML', 'POST /workflows', { raw: '<a/>', headers: { 'content-type': 'text/xml' } }, 404, error('Not found')],
      ['an unknown method', 'DELETE /login', {}, 404, error('Not found')],
      ['the base path itself', 'GET ', {}, 404, error('Not found')],
      ['an unreadable URL', 'GET /%zz', {}, 400, BAD_BODY],
    ])('%s', async (_, target, options, status, body) => {
      const answer = await call(target, options);
      expect({ status: answer.status, body: answer.body }).toEqual({ status, body });
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      if (status !== 400 || target !== 'GET /%zz') expect(answer.headers.get('cache-control')).toBe('no-store');
    });

    it('an unknown route with a credential like one without', async () => {
      const answer = await call('GET /workflows', { token: await login() });
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 404, body: error('Not found') });
    });
  });

  it('issues a token with the claims and the lifetime of the page', async () => {
    const { header, claims } = decodeJwt(await login());
    expect(header).toMatchObject({ alg: 'HS256' });
    expect(claims).toMatchObject({ username: 'osmedeus', sid: expect.any(String), jti: expect.any(String) });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(1440 * 60);
  });

  it('sets the token as a cookie that scripts can read and that ends with it', async () => {
    const answer = await call('POST /login', { json: USER });
    const [pair, ...attributes] = cookieOf(answer)!.split('; ');
    expect(pair).toBe(`osmedeus_session=${String(answer.body.token)}`);
    const expires = attributes.find((one) => one.startsWith('Expires='))!;
    expect(attributes.filter((one) => one !== expires).sort()).toEqual(['Path=/', 'SameSite=Lax']);
    const { exp } = decodeJwt(answer.body.token as string).claims;
    expect(Math.abs(Date.parse(expires.slice(8)) / 1000 - Number(exp))).toBeLessThanOrEqual(2);
  });

  it('sets it for HTTPS alone where a trusted proxy says that the client uses that', async () => {
    const answer = await call('POST /login', { json: USER, headers: { 'x-forwarded-proto': 'https' } });
    expect(cookieOf(answer)).toContain('; Secure');
  });

  it('remembers the browser, as every login does', async () => {
    const answer = await call('POST /login', { json: USER });
    expect(answer.headers.getSetCookie().some((one) => one.startsWith('gh_device='))).toBe(true);
  });

  describe('takes', () => {
    const asUser = { status: 200, body: { username: 'osmedeus' } };
    const asKey = { status: 200, body: { username: 'api-key' } };

    it.each<[string, (token: string) => RequestOptions, object]>([
      ['the token', (token) => ({ token }), asUser],
      ['the cookie as it is', (token) => withCookie(token), asUser],
      ['the cookie as JSON', (token) => withCookie(encodeURIComponent(JSON.stringify({ token }))), asUser],
      ['the cookie from another origin, to read', (token) => withCookie(token, { 'sec-fetch-site': 'cross-site' }), asUser],
      ['the cookie beside an empty header', (token) => withCookie(token, { authorization: '' }), asUser],
      ['the key', () => ({ headers: { 'x-osm-api-key': key } }), asKey],
      ['the key before a bad token', () => ({ token: 'bad', headers: { 'x-osm-api-key': key } }), asKey],
      ['the token before a bad cookie', (token) => ({ token, ...withCookie('bad') }), asUser],
      ['no good token behind a bad key', (token) => ({ token, headers: { 'x-osm-api-key': 'bad' } }), { status: 401, body: BAD_KEY }],
      ['no good cookie behind a bad token', (token) => ({ token: 'bad', ...withCookie(token) }), { status: 401, body: BAD_TOKEN }],
      ['no bad cookie', () => withCookie('bad'), { status: 401, body: BAD_TOKEN }],
      ['no JSON without a token', () => withCookie(encodeURIComponent('{"user":1}')), { status: 401, body: BAD_TOKEN }],
      ['an empty cookie for none', () => withCookie(''), { status: 401, body: NO_HEADER }],
    ])('%s', async (_, options, expected) => {
      const { status, body } = await call('GET /user', options(await login()));
      expect({ status, body }).toEqual(expected);
    });
  });

  describe('a logout', () => {
    it.each<[string, (token: string) => RequestOptions, boolean, boolean]>([
      ['with the token', (token) => ({ token }), true, true],
      ['with the token beside an API key', (token) => ({ token, headers: { 'x-osm-api-key': key } }), true, true],
      ['with the cookie, by no browser', (token) => withCookie(token), true, true],
      ['with the cookie, of this origin', (token) => withCookie(token, { 'sec-fetch-site': 'same-origin' }), true, true],
      ['with the cookie, of this origin in an older browser', (token) => withCookie(token, { origin: suite.gatehouse.url }), true, true],
      ['with the cookie beside a bad token', (token) => ({ token: 'undefined', ...withCookie(token) }), true, true],
      ['with the cookie beside another scheme', (token) => withCookie(token, { authorization: 'Basic eDp5' }), true, true],
      ['with the cookie beside an empty header', (token) => withCookie(token, { authorization: '' }), true, true],
      ['with the token beside a bad cookie', (token) => ({ token, ...withCookie('bad') }), true, true],
      ['with the same token in both', (token) => ({ token, ...withCookie(token) }), true, true],
      ['with the cookie beside a bad token, of a sister site', (token) => ({ token: 'undefined', ...withCookie(token, { 'sec-fetch-site': 'same-site' }) }), false, false],
      ['with the cookie, of a sister site', (token) => withCookie(token, { 'sec-fetch-site': 'same-site', origin: suite.gatehouse.url }), false, false],
      ['with the cookie, of another origin', (token) => withCookie(token, { origin: 'https://evil.example' }), false, false],
      ['with the cookie, of a page without an origin', (token) => withCookie(token, { origin: 'null' }), false, false],
      ['with the cookie, of another port', (token) => withCookie(token, { origin: 'http://127.0.0.1:1' }), false, false],
    ])('%s', async (_, options, ends, clears) => {
      const token = await login();
      const answer = await call('POST /logout', options(token));
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: { message: 'Logged out successfully' } });
      expect(cookieOf(answer)?.startsWith('osmedeus_session=; ') ?? false).toBe(clears);
      const after = await call('GET /user', { token });
      expect({ status: after.status, body: after.body }).toEqual(
        ends ? { status: 401, body: BAD_TOKEN } : { status: 200, body: { username: 'osmedeus' } },
      );
    });
  });

  it('ends both sessions at a logout with two good tokens', async () => {
    const [header, cookie] = [await login(), await login()];
    expect((await call('POST /logout', { token: header, ...withCookie(cookie) })).status).toBe(200);
    for (const token of [header, cookie]) expect((await call('GET /user', { token })).body).toEqual(BAD_TOKEN);
  });

  it('shares its tokens with the native API, and their end', async () => {
    const token = await login();
    expect((await suite.api.call('GET /auth/me', { token })).body).toMatchObject({ username: 'osmedeus', role: 'owner' });
    expect((await suite.api.call('GET /auth/sessions', { token })).body.items[0]).toMatchObject({ dialect: 'osmedeus', current: true });
    await suite.api.call('POST /auth/logout', { token });
    expect((await call('GET /user', { token })).body).toEqual(BAD_TOKEN);
  });

  it('keeps the generated key for its owner alone, and only its hash in the database', async () => {
    const path = join(data.path, 'osmedeus-api-key');
    expect(key).toMatch(/^[0-9A-Za-z]{32}$/);
    expect(readFileSync(path, 'utf8').trim()).toBe(key);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(suite.gatehouse.output().split(key)).toHaveLength(2);
    const { rows } = await suite.database.pool.query('SELECT row_to_json(k)::text AS row, scopes, user_id FROM api_keys k');
    expect(rows).toEqual([{ row: expect.not.stringContaining(key), scopes: ['*'], user_id: null }]);
  });

  it('locks after five guesses, however many come at once', async () => {
    const token = await login();
    const member = { username: 'member', password: 'three random words 42' };
    await suite.api.createUser(token, { ...member, role: 'member' });
    const answers = await Promise.all(Array.from({ length: 100 }, () => call('POST /login', { json: { ...member, password: 'wrong' } })));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    const locked = answers.filter(({ status }) => status === 423);
    expect(locked).toHaveLength(95);
    expect(locked[0]!.body).toEqual(error('Account is temporarily locked due to too many failed login attempts'));
    expect(Number(locked[0]!.headers.get('retry-after'))).toBeGreaterThan(800);
    expect((await call('POST /login', { json: member })).status).toBe(423);
  });

  it('describes its routes and errors', async () => {
    const { body } = await send(`GET ${suite.gatehouse.url}/openapi.json`);
    const { paths, components } = body as { paths: Record<string, Json>; components: Json };
    expect(paths['/osm/api/user'].get.security).toContainEqual({ osmedeusApiKey: [] });
    expect(components.securitySchemes.osmedeusApiKey).toMatchObject({ type: 'apiKey', in: 'header', name: 'x-osm-api-key' });
    expect(Object.keys(paths).filter((path) => path.startsWith('/osm'))).toEqual(['/osm/api/login', '/osm/api/logout', '/osm/api/user']);
    expect(paths['/osm/api/login'].post.requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/OsmedeusLoginBody' });
    expect(paths['/osm/api/login'].post.responses['403'].content['application/json'].example).toEqual(error('Account is disabled'));
    for (const operation of [paths['/osm/api/login'].post, paths['/osm/api/user'].get]) {
      expect(operation.responses['401'].content['application/json'].schema).toEqual({ $ref: '#/components/schemas/OsmedeusErrorBody' });
    }
  });
});
