import { Api } from './client.js';
import { createDatabase, type TestDatabase } from './database.js';
import { type Gatehouse, startGatehouse } from './gatehouse.js';

/** The account that every suite begins with. */
export const OWNER = { email: 'owner@example.com', username: 'owner', password: 'plenty of words 42' };

/** Settings that make that account. */
export const WITH_OWNER = {
  BOOTSTRAP_OWNER_EMAIL: OWNER.email,
  BOOTSTRAP_OWNER_USERNAME: OWNER.username,
  BOOTSTRAP_OWNER_PASSWORD: OWNER.password,
};

/** A server with an owner on a database of its own. */
export interface Suite {
  readonly database: TestDatabase;
  readonly gatehouse: Gatehouse;
  readonly api: Api;
  /** Another server on the same database, stopped with the first. */
  startAnother(env?: Record<string, string | undefined>): Promise<Api>;
  stop(): Promise<void>;
}

/** Starts what most suites need, with variables on top of the quick ones. */
export async function startSuite(env: Record<string, string | undefined> = {}): Promise<Suite> {
  const database = await createDatabase();
  const start = (more: Record<string, string | undefined> = {}): Promise<Gatehouse> =>
    startGatehouse({ env: { DATABASE_URL: database.url, ...WITH_OWNER, ...env, ...more } });
  const servers = [await start()];
  const [gatehouse] = servers as [Gatehouse];
  return {
    database,
    gatehouse,
    api: new Api(gatehouse),
    startAnother: async (more) => {
      const another = await start(more);
      servers.push(another);
      return new Api(another);
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
      await database.drop();
    },
  };
}
