import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { createDatabase, type TestDatabase } from './support/database.js';
import { Api } from './support/client.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { owner, type Person, person } from './support/people.js';
import { WITH_OWNER } from './support/suite.js';

/** The statements as the page on running Gatehouse has them. */
function documentedGrants(): string {
  const page = readFileSync(join(__dirname, '..', 'deploy', 'README.md'), 'utf8');
  return /## The database's roles[\s\S]*?```sql\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
}

describe('a database role with the documented grants', () => {
  let database: TestDatabase;
  let gatehouse: Gatehouse;
  let url: URL;

  beforeAll(async () => {
    database = await createDatabase();
    // Roles belong to the server, which other suites share: one of this suite's own.
    const role = `app_${new URL(database.url).pathname.slice(1)}`;
    url = new URL(database.url);
    url.username = role;
    url.password = 'pass-word';
    await database.pool.query(documentedGrants().replaceAll('gatehouse_app', role).replace("'…'", "'pass-word'").replaceAll('DATABASE gatehouse', `DATABASE ${url.pathname.slice(1)}`));
    gatehouse = await startGatehouse({ env: { DATABASE_URL: url.href, ...WITH_OWNER } });
  });
  afterAll(async () => {
    await gatehouse.stop();
    await database.pool.query(`DROP OWNED BY ${url.username}; DROP ROLE ${url.username}`);
    await database.drop();
  });

  it('is enough for everything that the server does', async () => {
    const api = new Api(gatehouse);
    const boss = await owner(api);
    const ada: Person = await person(api, boss.token, 'member');
    const { refreshToken } = await api.login(ada.email, ada.password);
    expect((await api.call('POST /auth/refresh', { json: { refreshToken } })).status).toBe(200);
    const key = await api.createKey(ada.token, ['servers:read']);
    expect((await api.call('GET /api-keys/current', { apiKey: key.key as string })).status).toBe(200);
    expect((await api.call(`DELETE /api-keys/${key.id as string}`, { token: ada.token })).status).toBe(204);
    expect((await api.call(`DELETE /users/${ada.id}`, { token: boss.token })).status).toBe(204);
    expect((await api.call('GET /audit-events', { token: boss.token })).body.items.length).toBeGreaterThan(5);
    expect((await api.call('POST /auth/logout', { token: boss.token })).status).toBe(204);
  });

  it.each(["UPDATE audit_events SET action = 'x'", 'DELETE FROM audit_events', 'TRUNCATE audit_events', 'DROP TABLE users', 'CREATE TABLE mine ()'])(
    'may not %s', async (statement) => {
      const client = new Client({ connectionString: url.href });
      await client.connect();
      await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
      await client.end();
    });
});
