import { Agent, type Closing, refusedUpgrade } from './support/agent.js';
import { Api, eventually, type Json } from './support/client.js';
import { createDatabase } from './support/database.js';
import { startGatehouse } from './support/gatehouse.js';
import { owner, type Person, person } from './support/people.js';
import { startSuite, type Suite, WITH_OWNER } from './support/suite.js';
import { openProxy } from './support/tcp-proxy.js';

let suite: Suite;
let servers: Api[];
let boss: Person;

beforeAll(async () => {
  suite = await startSuite();
  servers = [suite.api, await suite.startAnother()];
  boss = await owner(suite.api);
});
afterAll(() => suite.stop());

const urlOf = (api: Api): string => `${api.gatehouse.api}/agents/ws`;

/** One agent at each instance, with the same key. */
const agentsWith = (key: string): Promise<Agent[]> => Promise.all(servers.map((api) => Agent.admitted(urlOf(api), key)));

describe('on every instance, within a second, an agent is sent away when', () => {
  const admin = { token: '' };
  beforeAll(() => { admin.token = boss.token; });

  const at = (target: string, json?: object) => suite.api.call(target, { token: admin.token, ...(json === undefined ? {} : { json }) });

  it.each<[string, (key: Json, user: Person) => Promise<unknown>]>([
    ['its key is revoked', (key) => at(`DELETE /api-keys/${key.id as string}`)],
    ['its key is rotated', (key) => at(`POST /api-keys/${key.id as string}/rotate`, {})],
    ['its key loses the scope', (key) => at(`PATCH /api-keys/${key.id as string}`, { scopes: ['servers:read'] })],
    ['its user is disabled', (_, user) => at(`PATCH /users/${user.id}`, { disabled: true })],
    ['its user is deleted', (_, user) => at(`DELETE /users/${user.id}`)],
    ['its key expires', (key) => suite.database.pool.query('UPDATE api_keys SET expires_at = now() WHERE id = $1', [key.id])],
    ['its key is retired', (key) => suite.database.pool.query('UPDATE api_keys SET retires_at = now() WHERE id = $1', [key.id])],
  ])('%s', async (_, end) => {
    const user = await person(suite.api, boss.token, 'member');
    const key = await suite.api.createKey(user.token, ['agents:connect']);
    const other = await suite.api.createKey(boss.token, ['agents:connect']);
    const [agents, bystanders] = await Promise.all([agentsWith(key.key), agentsWith(other.key)]);
    await end(key, user);
    const ended = Date.now();
    for (const closing of await Promise.all(agents.map((agent) => agent.closing))) {
      expect(closing).toMatchObject({ code: 1008, reason: 'The API key is no longer good' });
      expect(closing.at - ended).toBeLessThan(1_000);
    }
    for (const bystander of bystanders) {
      expect(await bystander.isIn()).toBe(true);
      await bystander.leave();
    }
  });

  it('its key comes to the end that it was made with', async () => {
    const { key, expiresAt } = await suite.api.createKey(boss.token, ['agents:connect'], { expiresAt: new Date(Date.now() + 2_500).toISOString() });
    for (const { code, at } of await Promise.all((await agentsWith(key)).map((agent) => agent.closing))) {
      expect(code).toBe(1008);
      expect(at - Date.parse(expiresAt)).toBeGreaterThanOrEqual(0);
      expect(at - Date.parse(expiresAt)).toBeLessThan(1_000);
    }
  });

  it('its key is revoked by a transaction that commits after later ones', async () => {
    const [slow, quick] = await Promise.all([suite.api.createKey(boss.token, ['agents:connect']), suite.api.createKey(boss.token, ['agents:connect'])]);
    const [agents, others] = await Promise.all([agentsWith(slow.key), agentsWith(quick.key)]);
    const client = await suite.database.pool.connect();
    await client.query('BEGIN');
    await client.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [slow.id]);
    // What comes later is seen by every instance before that commits.
    await at(`DELETE /api-keys/${quick.id as string}`);
    await Promise.all(others.map((other) => other.closing));
    expect(await agents[0]!.isIn()).toBe(true);
    await client.query('COMMIT');
    client.release();
    const ended = Date.now();
    for (const { code, at: closed } of await Promise.all(agents.map((agent) => agent.closing))) {
      expect(code).toBe(1008);
      expect(closed - ended).toBeLessThan(1_000);
    }
  });

  it('any of 200 keys, while the others stay', async () => {
    const keys: Json[] = await Promise.all(Array.from({ length: 200 }, () => suite.api.createKey(boss.token, ['agents:connect'])));
    const agents = await Promise.all(keys.map(({ key }, index) => Agent.admitted(urlOf(servers[index % 2]!), key)));
    await Promise.all(keys.slice(0, 100).map(({ id }) => at(`DELETE /api-keys/${id as string}`)));
    const ended = Date.now();
    const closings: Closing[] = await Promise.all(agents.slice(0, 100).map((agent) => agent.closing));
    expect(closings.every(({ code, at: closed }) => code === 1008 && closed - ended < 1_000)).toBe(true);
    expect(await Promise.all(agents.slice(100).map((agent) => agent.isIn()))).toEqual(Array.from({ length: 100 }, () => true));
    await Promise.all(agents.slice(100).map((agent) => agent.leave()));
  });
});

describe('where connections are remembered', () => {
  const rows = async () => Number((await suite.database.pool.query('SELECT count(*) FROM agent_connections')).rows[0].count);

  it('there is a row for each while it lasts', async () => {
    await eventually(async () => { expect(await rows()).toBe(0); });
    const { key } = await suite.api.createKey(boss.token, ['agents:connect']);
    const agents = await agentsWith(key);
    expect(await rows()).toBe(2);
    await agents[0]!.leave();
    await eventually(async () => { expect(await rows()).toBe(1); });
    agents[1]!.socket.terminate();
    await eventually(async () => { expect(await rows()).toBe(0); });
  });

  it('a row that somebody took for dead comes back, and stale ones go', async () => {
    const { id, key } = await suite.api.createKey(boss.token, ['agents:connect']);
    const agent = await Agent.admitted(urlOf(suite.api), key);
    await suite.database.pool.query('DELETE FROM agent_instances');
    // Of a process that crashed.
    await suite.database.pool.query("INSERT INTO agent_instances (id, seen_at) VALUES (gen_random_uuid(), now() - interval '2 minutes')");
    await suite.database.pool.query("INSERT INTO agent_connections (id, api_key_id, instance_id, seen_at) VALUES (gen_random_uuid(), $1, (SELECT id FROM agent_instances), 'infinity')", [id]);
    await eventually(async () => {
      const found = await suite.database.pool.query(
        "SELECT i.seen_at > now() - interval '15 seconds' AS fresh FROM agent_connections c LEFT JOIN agent_instances i ON i.id = c.instance_id");
      expect(found.rows).toEqual([{ fresh: true }]);
    }, 12_000);
    await agent.leave();
  });
});

it('a server that stops says goodbye, to those who have not said who they are too, and is soon gone', async () => {
  const api = await suite.startAnother();
  const { key } = await suite.api.createKey(boss.token, ['agents:connect']);
  const agents = [await Agent.admitted(urlOf(api), key), await Agent.open(urlOf(api))];
  // One that will not hang up.
  const deaf = await Agent.admitted(urlOf(api), key);
  deaf.socket.pause();
  const stopped = Date.now();
  const [first, second, code] = await Promise.all([agents[0]!.closing, agents[1]!.closing, api.gatehouse.stop()]);
  expect([first.code, second.code, code]).toEqual([1001, 1001, 0]);
  expect(Date.now() - stopped).toBeLessThan(4_000);
  const left = await suite.database.pool.query('SELECT FROM agent_connections WHERE api_key_id = (SELECT id FROM api_keys ORDER BY id DESC LIMIT 1)');
  expect(left.rowCount).toBe(0);
});

it.each(['cut off from', 'not answered by'] as const)('a server that is %s its database sends agents away rather than trust their keys for long', async (how) => {
  const database = await createDatabase();
  const proxy = await openProxy(database.url);
  const gatehouse = await startGatehouse({ env: { DATABASE_URL: proxy.url, ...WITH_OWNER } });
  const api = new Api(gatehouse);
  const { token } = await owner(api);
  const { key } = await api.createKey(token, ['agents:connect']);
  const agent = await Agent.admitted(urlOf(api), key);
  if (how === 'cut off from') {
    const newcomer = await Agent.open(urlOf(api));
    await proxy.cut();
    newcomer.send({ type: 'auth', api_key: 'an imported key of any form' });
    expect(await newcomer.closing).toMatchObject({ code: 1013, reason: 'Try again later' });
  } else proxy.freeze(true);
  const began = Date.now();
  expect(await agent.closing).toMatchObject({ code: 1013, reason: 'Try again later' });
  expect(Date.now() - began).toBeLessThan(7_000);
  if (how === 'cut off from') await proxy.restore();
  else proxy.freeze(false);
  await eventually(async () => { await (await Agent.admitted(urlOf(api), key)).leave(); }, 20_000);
  await gatehouse.stop();
  await proxy.cut();
  await database.drop();
});

it('what happens to a key while a server is cut off from its database is found as soon as it is back', async () => {
  const proxy = await openProxy(suite.database.url);
  const api = await suite.startAnother({ DATABASE_URL: proxy.url });
  const { id, key } = await suite.api.createKey(boss.token, ['agents:connect']);
  const agent = await Agent.admitted(urlOf(api), key);
  await proxy.cut();
  await suite.api.call(`DELETE /api-keys/${id as string}`, { token: boss.token });
  expect(await agent.isIn()).toBe(true);
  await proxy.restore();
  expect(await agent.closing).toMatchObject({ code: 1008, reason: 'The API key is no longer good' });
  await api.gatehouse.stop();
  await proxy.cut();
});

describe('without authentication', () => {
  it('a key is asked for all the same, and only this machine may connect', async () => {
    const api = await suite.startAnother({ AUTH_DISABLED: 'true' });
    const { key } = await suite.api.createKey(boss.token, ['agents:connect']);
    await (await Agent.admitted(urlOf(api), key)).leave();
    const agent = await Agent.open(urlOf(api));
    agent.send({ type: 'auth', api_key: 'wrong' });
    expect((await agent.closing).code).toBe(1008);
    const { status, body } = await refusedUpgrade(urlOf(api), { 'x-forwarded-for': '192.0.2.1' });
    expect([status, body.code]).toEqual([403, 'local_only']);
    expect((await refusedUpgrade(urlOf(api), { host: 'evil.example' })).status).toBe(403);
  });
});

describe('connections that bring no key', () => {
  it('are limited for one address', async () => {
    const api = await suite.startAnother({ RATE_LIMIT_ENABLED: 'true' });
    const { key } = await suite.api.createKey(boss.token, ['agents:connect']);
    const agents = await Promise.all(Array.from({ length: 100 }, () => Agent.open(urlOf(api))));
    const { status, headers, body } = await refusedUpgrade(urlOf(api));
    expect([status, body.code, headers.get('retry-after')]).toEqual([429, 'too_many_requests', '10']);
    // With a key one gets in; and whoever says who it is, or leaves, makes room.
    await (await Agent.open(urlOf(api), { 'x-api-key': key })).leave();
    expect((await agents[0]!.ask({ type: 'auth', api_key: key })).type).toBe('auth_success');
    await agents[1]!.leave();
    await eventually(async () => { agents.push(await Agent.open(urlOf(api)), await Agent.open(urlOf(api))); });
    await Promise.all(agents.map((agent) => agent.leave()));
    await eventually(async () => { await (await Agent.open(urlOf(api))).leave(); });
  });
});
