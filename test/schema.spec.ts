import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../src/database/data-source-options.js';
import { MIGRATIONS } from '../src/database/migrations/index.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { environment } from './support/gatehouse.js';

const SRC = join(__dirname, '..', 'src');

/** Every entity that there is, so that none is forgotten here. */
function entities(): (new () => object)[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.entity.ts'));
  return files.flatMap((file) => Object.values(jest.requireActual<Record<string, new () => object>>(join(SRC, file))));
}

// Loads the program, and its migrations, as TypeScript.
jest.setTimeout(60_000);

describe('the schema', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createDatabase('empty');
    dataSource = await new DataSource({ ...dataSourceOptions({ url: database.url }, 2), entities: entities() }).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const tables = async (): Promise<string[]> => {
    const rows = await dataSource.query<{ name: string }[]>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
    );
    return rows.map(({ name }) => name);
  };
  /** What TypeORM would change to make the tables look like the entities. */
  const differences = async (): Promise<string[]> =>
    (await dataSource.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);

  it('is made by the command line of TypeORM, for the settings of a server', async () => {
    const env = environment({
      DATABASE_URL: database.url, DIALECTS: 'chatops', WEBHOOK_URLS: 'https://hooks.example', WEBHOOK_SECRET: `whsec_${'a'.repeat(43)}=`, WEBHOOK_EVENTS: 'login.failed',
    });
    const { status, stdout } = spawnSync('npm', ['run', 'migration:run'], { env, encoding: 'utf8' });
    expect({ status, stdout }).toMatchObject({ status: 0 });
    expect(await differences()).toEqual([]);
    for (const _ of MIGRATIONS) await dataSource.undoLastMigration();
  });

  it('is what the entities say, once all migrations have run', async () => {
    expect((await differences()).length).toBeGreaterThan(0);
    expect(await dataSource.runMigrations()).toHaveLength(MIGRATIONS.length);
    expect(await differences()).toEqual([]);
    expect(await tables()).toEqual([...dataSource.entityMetadatas.map(({ tableName }) => tableName), 'migrations'].sort());
  });

  it('can be taken back, step by step, and made again', async () => {
    for (const _ of MIGRATIONS) await dataSource.undoLastMigration();
    expect(await tables()).toEqual(['migrations']);
    expect(await dataSource.runMigrations()).toHaveLength(MIGRATIONS.length);
    expect(await differences()).toEqual([]);
    expect(await dataSource.runMigrations()).toEqual([]);
  });
});
