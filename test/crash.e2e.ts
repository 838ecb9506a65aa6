import { join } from 'node:path';
import { Api } from './support/client.js';
import { embeddedIn, makeDirectory, postgresBelow, type TestDirectory } from './support/directory.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { OWNER, WITH_OWNER } from './support/suite.js';

const ROUNDS = 5;
const WRITERS = 4;

describe('kill -9 in the middle of writes', () => {
  let directory: TestDirectory;
  let gatehouse: Gatehouse;
  const start = () => startGatehouse({ env: { ...embeddedIn(join(directory.path, 'data')), ...WITH_OWNER } });

  beforeAll(async () => {
    directory = makeDirectory();
    gatehouse = await start();
  });

  afterAll(async () => {
    await gatehouse.stop();
    directory.remove();
  });

  it(`loses nothing that was acknowledged, in ${String(ROUNDS)} rounds`, async () => {
    const users: string[] = [];
    const keys: string[] = [];
    const revoked: string[] = [];
    const { accessToken: token } = await new Api(gatehouse).login(OWNER.email, OWNER.password);
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = users.length + keys.length;
      const writing = Array.from({ length: WRITERS }, (_, writer) => write(new Api(gatehouse), writer));
      // It is killed while it writes, after a different number of writes each time.
      while (users.length + keys.length < before + 3 + 4 * round) await new Promise((resolve) => setTimeout(resolve, 5));
      await gatehouse.stop('SIGKILL');
      await Promise.all(writing);
      gatehouse = await start();
      // The orphan was stopped: one server runs, the new process's own.
      expect(postgresBelow(directory.path)).toHaveLength(1);
    }
    const api = new Api(gatehouse);
    expect((await api.call('GET /auth/me', { token })).status).toBe(200);
    for (const id of users) expect((await api.call(`GET /users/${id}`, { token })).status).toBe(200);
    for (const apiKey of keys) {
      expect((await api.call('GET /api-keys/current', { apiKey })).status).toBe(revoked.includes(apiKey) ? 401 : 200);
    }
    expect(revoked.length).toBeGreaterThan(0);

    /** Writes until the connection breaks, and notes what was acknowledged. */
    async function write(api: Api, writer: number): Promise<void> {
      try {
        for (;;) {
          if (writer % 2 === 0) {
            const username = `u${crypto.randomUUID()}`;
            users.push((await api.createUser(token, { username, password: 'three random words 42' })).id as string);
            continue;
          }
          const { id, key } = (await api.createKey(token, ['servers:read'])) as { id: string; key: string };
          if ((await api.call(`DELETE /api-keys/${id}`, { token })).status === 204) revoked.push(key);
          keys.push(key, ((await api.createKey(token, ['servers:read'])) as { key: string }).key);
        }
      } catch (error) {
        // Not `instanceof`: fetch's own error, for a connection that was cut, is of another realm.
        if ((error as Error).name !== 'TypeError') throw error;
      }
    }
  }, 120_000);
});
