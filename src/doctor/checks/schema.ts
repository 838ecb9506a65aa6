import type { DataSource } from 'typeorm';
import type { Finding } from '../finding.js';

/** PostgreSQL's undefined_table (SQLSTATE 42P01): no migration has ever run. */
const UNDEFINED_TABLE = '42P01';

/** Whether the schema is the one that this version of the program knows. */
export async function checkSchema(dataSource: DataSource): Promise<Finding[]> {
  const known = dataSource.migrations.map(({ name }) => name ?? '');
  const applied = await appliedMigrations(dataSource);
  const missing = known.filter((name) => !applied.includes(name));
  const newer = applied.filter((name) => !known.includes(name));
  return [
    ...(missing.length === 0 ? [] : [{
      id: 'database-migrations-missing',
      severity: 'error',
      title: `${String(missing.length)} of ${String(known.length)} migrations have not run.`,
      meaning: 'The tables are not those that this version works with.',
      remedy: 'gatehouse migrate, or start the server, which does it too.',
    } as const]),
    ...(newer.length === 0 ? [] : [{
      id: 'database-newer',
      severity: 'warning',
      title: `The database has ${String(newer.length)} migrations that this version does not know: ${newer.join(', ')}.`,
      meaning: 'A newer version has run on it. Side by side with that version this one works, but only until the version after it.',
      remedy: 'Install the newer version here too.',
    } as const]),
  ];
}

async function appliedMigrations(dataSource: DataSource): Promise<string[]> {
  try {
    return (await dataSource.query<{ name: string }[]>('SELECT name FROM migrations')).map(({ name }) => name);
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return [];
    throw error;
  }
}
