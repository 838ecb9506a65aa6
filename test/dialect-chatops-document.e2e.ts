import { Agent } from './support/agent.js';
import { type Json, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';

let database: TestDatabase;
let gatehouse: Gatehouse;

// The product's document names no variables: nothing is set but the dialect.
beforeAll(async () => {
  database = await createDatabase();
  gatehouse = await startGatehouse({ env: { DIALECTS: 'chatops', DATABASE_URL: database.url } });
});
afterAll(async () => {
  await gatehouse.stop();
  await database.drop();
});

/** The request of the product's document, word for word but for a password that nobody guesses first. */
const REGISTRATION = `{
  "email": "user@example.com",
  "username": "username",
  "password": "password123",
  "password_confirm": "password123",
  "full_name": "Full Name"
}`;
const LOGIN = 'username=username&password=password123';
const uncommon = (text: string): string => text.replaceAll('password123', 'pass-word of 123');

const post = (path: string, raw: string, type = 'application/json', token?: string) =>
  send(`POST ${gatehouse.url}${path}`, { raw, headers: { 'content-type': type }, ...(token === undefined ? {} : { token }) });

describe('what the product’s document shows', () => {
  it('works as it stands there, from the registration to the agent', async () => {
    const register = await post('/api/v1/auth/register', uncommon(REGISTRATION));
    expect({ status: register.status, body: register.body }).toMatchObject({
      status: 201,
      body: {
        user: { id: expect.any(String), email: 'user@example.com', username: 'username', full_name: 'Full Name' },
        access_token: expect.any(String), refresh_token: expect.any(String), token_type: 'bearer',
      },
    });
    const login = await post('/api/v1/auth/login', uncommon(LOGIN), 'application/x-www-form-urlencoded');
    expect({ status: login.status, body: login.body }).toMatchObject({
      status: 200, body: { access_token: expect.any(String), refresh_token: expect.any(String), token_type: 'bearer' },
    });
    expect((await send(`GET ${gatehouse.url}/api/v1/servers`, { token: login.body.access_token })).body).toEqual([]);
    const refresh = await post('/api/v1/auth/refresh', `{\n  "refresh_token": "${login.body.refresh_token as string}"\n}`);
    expect(refresh.body).toEqual({ access_token: expect.any(String), token_type: 'bearer' });

    const { access_token: token } = refresh.body;
    const server = (await post('/api/v1/servers', '{"name":"web-1"}', 'application/json', token)).body;
    const { key } = (await post('/api/v1/api-keys', JSON.stringify({ server_id: server.id }), 'application/json', token)).body;
    const agent = await Agent.open(`${gatehouse.url}/api/v1/agents/ws`);
    expect(await agent.ask(`{\n  "type": "auth",\n  "api_key": "${key as string}"\n}`)).toEqual({
      type: 'auth_success', server_id: server.id, message: 'Connected successfully',
    });
    await agent.leave();
  });

  it('has a password for its example that is refused here', async () => {
    const { status, body } = await post('/api/v1/auth/register', REGISTRATION);
    expect({ status, body }).toEqual({ status: 422, body: { detail: [{ loc: ['body', 'password'], msg: 'Password is too common', type: 'value_error' }] } });
  });
});

describe('the OpenAPI document', () => {
  let document: Json;
  beforeAll(async () => { document = (await send(`GET ${gatehouse.url}/openapi.json`)).body; });

  const person = [{ password: [] }, { accessToken: [] }];
  const schemaOf = (content: Json): string => JSON.stringify(content?.schema ?? {}).replaceAll(/.*schemas\/(\w+).*/g, '$1');

  it.each<[string, string, Json, string | null, number, string | null]>([
    ['post', '/api/v1/auth/register', [], 'ChatOpsRegisterBody', 201, 'ChatOpsTokens'],
    ['post', '/api/v1/auth/login', [], 'ChatOpsLoginForm', 200, 'ChatOpsTokens'],
    ['post', '/api/v1/auth/refresh', [], 'ChatOpsRefreshBody', 200, 'ChatOpsAccessToken'],
    ['get', '/api/v1/auth/me', person, null, 200, 'ChatOpsUser'],
    ['put', '/api/v1/auth/me', person, 'ChatOpsProfileBody', 200, 'ChatOpsUser'],
    ['post', '/api/v1/auth/change-password', person, 'ChatOpsPasswordBody', 200, 'ChatOpsMessage'],
    ['post', '/api/v1/auth/logout', person, null, 200, 'ChatOpsMessage'],
    ['get', '/api/v1/servers', person, null, 200, 'ChatOpsServer'],
    ['post', '/api/v1/servers', person, 'ChatOpsServerBody', 201, 'ChatOpsServer'],
    ['get', '/api/v1/servers/{server_id}', person, null, 200, 'ChatOpsServer'],
    ['put', '/api/v1/servers/{server_id}', person, 'ChatOpsServerChange', 200, 'ChatOpsServer'],
    ['delete', '/api/v1/servers/{server_id}', person, null, 204, null],
    ['post', '/api/v1/api-keys', person, 'ChatOpsApiKeyRequest', 201, 'ChatOpsIssuedApiKey'],
    ['get', '/api/v1/api-keys/server/{server_id}', person, null, 200, 'ChatOpsApiKey'],
    ['post', '/api/v1/api-keys/{key_id}/deactivate', person, null, 200, 'ChatOpsApiKey'],
    ['delete', '/api/v1/api-keys/{key_id}', person, null, 204, null],
    ['get', '/api/v1/api-keys/me', [{ apiKey: [] }], null, 200, 'ChatOpsCurrentApiKey'],
    ['get', '/api/v1/agents/ws', [], null, 101, null],
    ['get', '/native/v1/agents/ws', [], null, 101, null],
  ])('%s %s', (method, path, security, body, status, answer) => {
    const operation = document.paths[path][method];
    expect(operation.security).toEqual(security);
    const type = path.endsWith('/login') ? 'application/x-www-form-urlencoded' : 'application/json';
    expect(body === null ? operation.requestBody : schemaOf(operation.requestBody.content[type])).toBe(body ?? undefined);
    const { content } = operation.responses[status];
    expect(answer === null ? content : schemaOf(content['application/json'])).toBe(answer ?? undefined);
  });

  it('describes errors below the dialect’s paths in the dialect’s bodies alone', () => {
    const wrong: string[] = [];
    for (const [path, item] of Object.entries<Json>(document.paths)) {
      if (!path.startsWith('/api/v1/')) continue;
      for (const [method, operation] of Object.entries<Json>(item)) {
        for (const [status, response] of Object.entries<Json>(operation.responses)) {
          const schema = schemaOf(response.content?.['application/json']);
          const wanted = status === '422' ? 'ChatOpsValidationError' : 'ChatOpsError';
          if (Number(status) >= 400 && (schema !== wanted || Object.keys(response.content).length !== 1)) wrong.push(`${method} ${path} ${status}: ${JSON.stringify(response.content)}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});
