import { connect } from 'node:net';
import { once } from 'node:events';
import { CHATOPS_ERRORS } from '../src/dialects/chatops/chatops-errors.js';
import { refusedUpgrade } from './support/agent.js';
import { type Json, type RequestOptions, send } from './support/client.js';
import { runGatehouse } from './support/gatehouse.js';
import { sendTogether } from './support/pipelined.js';
import { rawRequest } from './support/raw-request.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

let suite: Suite;
let token: string;
let apiKey: string;

beforeAll(async () => {
  suite = await startSuite({ DIALECTS: 'chatops' });
  token = (await suite.api.login(OWNER.email, OWNER.password)).accessToken;
  apiKey = (await suite.api.createKey(token, ['*'])).key;
});
afterAll(() => suite.stop());

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const NOT_VALIDATED = 'Could not validate credentials';
const broken = [{ loc: ['body'], msg: expect.any(String), type: 'json_invalid' }];

/** Every kind of error that a request can bring about. */
it.each<[string, string, () => RequestOptions, number, Json]>([
  ['malformed JSON', 'POST /auth/register', () => ({ raw: '{"email":', headers: JSON_TYPE }), 422, broken],
  ['malformed JSON on a guarded route', 'POST /servers', () => ({ token, raw: '{', headers: JSON_TYPE }), 422, broken],
  ['an empty body that says it is JSON', 'POST /auth/register', () => ({ raw: '', headers: JSON_TYPE }), 422, expect.any(Array)],
  ['a poisoned prototype', 'POST /servers', () => ({ token, raw: '{"__proto__":{"a":1}}', headers: JSON_TYPE }), 422, broken],
  ['another media type', 'POST /auth/register', () => ({ raw: '<a/>', headers: { 'content-type': 'application/xml' } }), 415, 'Unsupported Media Type'],
  ['another media type for the login', 'POST /auth/login', () => ({ raw: '<a/>', headers: { 'content-type': 'application/xml' } }), 415, 'Unsupported Media Type'],
  ['a form where JSON is read', 'POST /auth/register', () => ({ raw: 'email=a', headers: FORM_TYPE }), 415, 'Unsupported Media Type'],
  ['a body that is too large', 'POST /auth/register', () => ({ raw: `{"a":"${'x'.repeat(1024 * 1024)}"}`, headers: JSON_TYPE }), 413, 'Request Entity Too Large'],
  ['a form in capitals where JSON is read', 'POST /auth/register', () => ({ raw: 'email=a', headers: { 'content-type': FORM_TYPE['content-type'].toUpperCase() } }), 415, 'Unsupported Media Type'],
  ['a login form in capitals', 'POST /auth/login', () => ({ raw: 'username=x&password=y', headers: { 'content-type': FORM_TYPE['content-type'].toUpperCase() } }), 401, 'Incorrect email or password'],
  ['a poisoned prototype in a form', 'POST /auth/login', () => ({ raw: '__proto__=1&username=x&password=y', headers: FORM_TYPE }), 422, broken],
  ['an unknown route', 'GET /nowhere', () => ({}), 404, 'Not Found'],
  ['an unknown route, with broken JSON', 'POST /nowhere', () => ({ raw: '{', headers: JSON_TYPE }), 404, 'Not Found'],
  ['an unknown route, signed in', 'GET /nowhere', () => ({ token }), 404, 'Not Found'],
  ['a route of the native API', 'GET /users', () => ({ token }), 404, 'Not Found'],
  ['another method', 'PATCH /auth/me', () => ({ token }), 404, 'Not Found'],
  ['no token', 'GET /auth/me', () => ({}), 401, NOT_VALIDATED],
  ['a bad token', 'GET /servers', () => ({ token: 'nonsense' }), 401, NOT_VALIDATED],
  ['another scheme', 'GET /servers', () => ({ headers: { authorization: 'Basic eDp5' } }), 401, NOT_VALIDATED],
  ['a key where a person is asked for', 'GET /servers', () => ({ apiKey }), 403, 'Not enough permissions'],
  ['a bad key', 'GET /servers', () => ({ apiKey: 'wrong' }), 401, 'Invalid API key'],
  ['no key', 'GET /api-keys/me', () => ({}), 401, 'API key required'],
  ['wrong credentials', 'POST /auth/login', () => ({ form: { username: 'x', password: 'y' } }), 401, 'Incorrect email or password'],
  ['a bad refresh token', 'POST /auth/refresh', () => ({ json: { refresh_token: 'x' } }), 401, 'Invalid refresh token'],
  ['a GET where a WebSocket is', 'GET /agents/ws', () => ({}), 426, expect.any(String)],
])('%s', async (_, target, options, status, detail) => {
  const [method, path] = target.split(' ');
  const answer = await send(`${method ?? ''} ${suite.gatehouse.url}/api/v1${path ?? ''}`, options());
  expect({ status: answer.status, body: answer.body }).toEqual({ status, body: { detail } });
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
});

it('a target with scheme and host', async () => {
  const [answer] = await sendTogether(suite.gatehouse.url, [{ path: 'http://chat.example/api/v1/servers?x=1' }]);
  expect(answer).toEqual({ status: 401, body: { detail: NOT_VALIDATED } });
});

it.each(['servers', 'api-keys/server'])('an id of any length below %s', async (path) => {
  const { status, body } = await send(`GET ${suite.gatehouse.url}/api/v1/${path}/${'7'.repeat(101)}`, { token });
  expect({ status, body }).toEqual({ status: 400, body: { detail: 'The URL could not be read.' } });
});

it('a key beside the token of the person who is meant', async () => {
  expect((await send(`GET ${suite.gatehouse.url}/api/v1/servers`, { token, apiKey: 'of something else' })).status).toBe(200);
  expect((await send(`GET ${suite.gatehouse.url}/api/v1/api-keys/me`, { token, apiKey: 'wrong' })).body).toEqual({ detail: 'Invalid API key' });
});

it('an address with a line break', async () => {
  const { status, body } = await send(`POST ${suite.gatehouse.url}/api/v1/auth/register`, { json: { email: '"a\nb"@example.com' } });
  expect(status).toBe(422);
  expect(body.detail).toContainEqual({ loc: ['body', 'email'], msg: 'value is not a valid email address', type: 'value_error' });
});

it('a body where none is asked for is not looked at', async () => {
  const { accessToken } = await suite.api.login(OWNER.email, OWNER.password);
  const answer = await send(`POST ${suite.gatehouse.url}/api/v1/auth/logout`, { token: accessToken, raw: '{', headers: JSON_TYPE });
  expect(answer.status).toBe(200);
  expect((await send(`GET ${suite.gatehouse.url}/api/v1/auth/me`, { token: accessToken })).status).toBe(401);
});

it('what a module of the product finds fault with', () => {
  expect(CHATOPS_ERRORS.renderForeign(422, 'port is taken').body).toEqual({ detail: [{ loc: ['body'], msg: 'port is taken', type: 'value_error' }] });
});

it('a URL that cannot be read', async () => {
  const { status, body } = await rawRequest(`GET ${suite.gatehouse.url}/api/v1/servers/%zz`);
  expect({ status, body }).toEqual({ status: 400, body: { detail: 'The URL could not be read.' } });
});

it('an upgrade that is refused', async () => {
  const unknown = await refusedUpgrade(`${suite.gatehouse.url}/api/v1/nowhere`);
  expect({ status: unknown.status, body: unknown.body }).toEqual({ status: 404, body: { detail: 'Not Found' } });
  const wrong = await refusedUpgrade(`${suite.gatehouse.url}/api/v1/agents/ws`, { 'x-api-key': 'wrong' });
  expect({ status: wrong.status, body: wrong.body }).toEqual({ status: 401, body: { detail: 'Invalid API key' } });
});

it('an expired token', async () => {
  const { body } = await send(`POST ${suite.gatehouse.url}/api/v1/auth/login`, { form: { username: OWNER.username, password: OWNER.password } });
  await suite.database.pool.query('UPDATE sessions SET expires_at = now()');
  const { status, body: refused } = await send(`GET ${suite.gatehouse.url}/api/v1/auth/me`, { token: body.access_token });
  expect({ status, body: refused }).toEqual({ status: 401, body: { detail: NOT_VALIDATED } });
});

it('the rate limit', async () => {
  const api = await suite.startAnother({ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_ATTEMPTS: '2' });
  const attempt = () => send(`POST ${api.gatehouse.url}/api/v1/auth/refresh`, { json: { refresh_token: 'x' } });
  await attempt();
  await attempt();
  for (const path of ['refresh', 'login', 'register']) {
    const { status, body, headers } = await send(`POST ${api.gatehouse.url}/api/v1/auth/${path}`, { json: {} });
    expect({ status, body }).toEqual({ status: 429, body: { detail: 'Too many requests' } });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
});

it('closed registration', async () => {
  const api = await suite.startAnother({ REGISTRATION: 'closed' });
  const { status, body } = await send(`POST ${api.gatehouse.url}/api/v1/auth/register`, { json: {} });
  expect({ status, body }).toEqual({ status: 403, body: { detail: 'Registration is disabled' } });
});

it('a path that only begins alike is none of this dialect’s', async () => {
  const { body } = await send(`GET ${suite.gatehouse.url}/api/v10/auth`);
  expect(body.code).toBe('not_found');
});

it('does not start beside another dialect that owns its paths', async () => {
  const { code, output } = await runGatehouse({ env: { DIALECTS: 'chatops,mosbot', DATABASE_URL: suite.database.url } });
  expect(code).toBe(1);
  expect(output).toMatch(/DIALECTS.*(mosbot and chatops|chatops and mosbot).*\/api\/v1\/auth/s);
});

it('a request that is cut off in its middle harms nobody', async () => {
  const { port } = new URL(suite.gatehouse.url);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write('POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nusername=');
  socket.resetAndDestroy();
  expect((await send(`GET ${suite.gatehouse.url}/health`)).status).toBe(200);
});
