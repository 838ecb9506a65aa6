import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../src/database/data-source-options.js';
import { MIGRATIONS } from '../src/database/migrations/index.js';
import { createDatabase, type TestDatabase } from './support/database.js';

const SRC = join(__dirname, '..', 'src');

/** Every entity that there is, so that none is forgotten here. */
function entities(): (new () => object)[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.entity.ts'));
  return files.flatMap((file) => Object.values(jest.requireActual<Record<string, new () => object>>(join(SRC, file))));
}

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
