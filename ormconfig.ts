import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './src/database/index.js';
import { readSettings } from './src/settings.js';

/**
 * For TypeORM's command line: `npm run migration:run` and `npm run migration:generate`. It works on `DATABASE_URL`; the
 * embedded database is brought up to date by the server that keeps it.
 */
const { databaseUrl, databasePoolSize } = readSettings({ env: process.env });
if (databaseUrl === undefined) throw new Error('Set DATABASE_URL: the embedded database is migrated when the server starts.');

export default new DataSource({
  ...dataSourceOptions({ url: databaseUrl }, databasePoolSize),
  entities: [join(import.meta.dirname, 'src/**/*.entity.ts')],
});
