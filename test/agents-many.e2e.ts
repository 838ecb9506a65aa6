import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Agent, type Closing } from './support/agent.js';
import { type Api } from './support/client.js';
import { startSuite, type Suite } from './support/suite.js';

/** `npm run bench:agents` opens ten thousand on one instance. */
const AGENTS_AN_INSTANCE = 1_000;
const AT_ONCE = 50;
/** The promise is a second; the rest is for a machine that runs other suites at the same time. */
const WITHIN_MS = 2_000;

let suite: Suite;
let servers: Api[];

beforeAll(async () => {
  suite = await startSuite({ LOG_LEVEL: 'warn' });
  servers = [suite.api, await suite.startAnother()];
});
afterAll(() => suite.stop());

interface Connected {
  agent: Agent;
  id: string;
}

/** Agents of a user of their own, each with a key of its own, half of them at each instance. */
async function connectMany(count: number): Promise<Connected[]> {
  const user = randomUUID();
  const keys = Array.from({ length: count }, () => ({ id: randomUUID(), key: randomBytes(32).toString('base64url') }));
  await suite.database.pool.query('INSERT INTO users (id, username, username_folded) VALUES ($1, $2, $2)', [user, user]);
  await suite.database.pool.query(
    `INSERT INTO api_keys (id, user_id, name, prefix, key_hash, scopes)
     SELECT id, $1, 'one of many', 'x', hash, '{agents:connect}' FROM unnest($2::uuid[], $3::bytea[]) AS made (id, hash)`,
    [user, keys.map(({ id }) => id), keys.map(({ key }) => createHash('sha256').update(key).digest())],
  );
  const connected: Connected[] = [];
  for (let at = 0; at < count; at += AT_ONCE) {
    connected.push(...(await Promise.all(keys.slice(at, at + AT_ONCE).map(async ({ id, key }, index) => {
      const agent = await Agent.open(`${servers[index % 2]!.gatehouse.api}/agents/ws`, { 'x-api-key': key });
      expect((await agent.next()).type).toBe('auth_success');
      return { agent, id };
    }))));
  }
  return connected;
}

const count = async (): Promise<number> => Number((await suite.database.pool.query('SELECT count(*) FROM agent_connections')).rows[0].count);

it(`closes those whose keys end among ${String(2 * AGENTS_AN_INSTANCE)} on two instances, in time, and keeps the others`, async () => {
  const groups: Connected[][] = [];
  for (let group = 0; group < 4; group += 1) groups.push(await connectMany(AGENTS_AN_INSTANCE / 2));
  expect(await count()).toBe(2 * AGENTS_AN_INSTANCE);
  // One lease for each process, however many agents it has.
  expect((await suite.database.pool.query('SELECT FROM agent_instances')).rowCount).toBe(2);
  const ends: [string, string][] = [
    ['revoked', 'UPDATE api_keys SET revoked_at = now() WHERE id = ANY($1)'],
    ['expired', 'UPDATE api_keys SET expires_at = now() WHERE id = ANY($1)'],
    ['users disabled', 'UPDATE users SET disabled_at = now() WHERE id = (SELECT user_id FROM api_keys WHERE id = ($1::uuid[])[1])'],
  ];
  const took: string[] = [];
  for (const [index, [what, statement]] of ends.entries()) {
    const group = groups[index]!;
    await suite.database.pool.query(statement, [group.map(({ id }) => id)]);
    const ended = Date.now();
    const closings: Closing[] = await Promise.all(group.map(({ agent }) => agent.closing));
    const last = Math.max(...closings.map(({ at }) => at)) - ended;
    took.push(`${what}: ${String(last)} ms`);
    expect(new Set(closings.map(({ code }) => code))).toEqual(new Set([1008]));
    expect(last).toBeLessThan(WITHIN_MS);
  }
  process.stdout.write(`The last of ${String(AGENTS_AN_INSTANCE / 2)} agents on two instances was closed after its key's end by: ${took.join(', ')}\n`);
  const stayed = await Promise.all(groups[3]!.map(({ agent }) => agent.isIn()));
  expect(stayed.every(Boolean)).toBe(true);
  expect(await count()).toBe(AGENTS_AN_INSTANCE / 2);

  // A server with many agents stops as soon as one with few, and says goodbye to all.
  const stopping = Date.now();
  expect(await Promise.all(servers.map(({ gatehouse }) => gatehouse.stop()))).toEqual([0, 0]);
  expect(Date.now() - stopping).toBeLessThan(10_000);
  const goodbyes = await Promise.all(groups[3]!.map(({ agent }) => agent.closing));
  expect(new Set(goodbyes.map(({ code }) => code))).toEqual(new Set([1001]));
  expect(await count()).toBe(0);
}, 120_000);
