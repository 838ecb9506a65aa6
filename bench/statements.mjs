// How many statements a call costs PostgreSQL. Run with @swc-node/register, for it counts as the tests count.
import { BACKGROUND, openCounter } from '../test/support/statement-counter.ts';
import { startServer } from './processes.mjs';
import { ourEnvironment, OWNER } from './servers.mjs';

const databaseUrl = process.argv[2];
const JSON_BODY = { 'content-type': 'application/json' };

async function callsOf(cache, counter) {
  const server = await startServer('product.mjs', { env: ourEnvironment(counter.url, { PRINCIPAL_CACHE: cache }) });
  const ask = async (method, path, headers, body) => {
    const response = await fetch(server.url + path, { method, headers: { ...headers, ...(body ? JSON_BODY : {}) }, ...(body ? { body: JSON.stringify(body) } : {}) });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  };
  const login = () => ask('POST', '/api/v1/auth/login', {}, { identifier: OWNER.email, password: OWNER.password });
  const count = async (call) => {
    counter.take();
    await call();
    return counter.take().filter((statement) => !BACKGROUND.test(statement)).length;
  };
  try {
    const { accessToken, refreshToken } = await login();
    const token = { authorization: `Bearer ${accessToken}` };
    const apiKey = { 'x-api-key': (await ask('POST', '/api/v1/api-keys', token, { name: 'statements', scopes: ['bench:read'] })).key };
    await ask('GET', '/bench/guarded', token);
    await ask('GET', '/bench/guarded', apiKey);
    return {
      guarded: await count(() => ask('GET', '/bench/guarded', token)),
      key: await count(() => ask('GET', '/bench/guarded', apiKey)),
      me: await count(() => ask('GET', '/api/v1/auth/me', token)),
      refresh: await count(() => ask('POST', '/api/v1/auth/refresh', {}, { refreshToken })),
      logout: await count(() => ask('POST', '/api/v1/auth/logout', token)),
      login: await count(login),
    };
  } finally {
    await server.stop();
  }
}

const counter = await openCounter(databaseUrl);
const counts = { memory: await callsOf('memory', counter), off: await callsOf('off', counter) };
await counter.close();
process.stdout.write(`${JSON.stringify(counts)}\n`);
