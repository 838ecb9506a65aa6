import { randomBytes } from 'node:crypto';
import { Client, Pool } from 'pg';

/** The migrated database that every suite's own is copied from. */
const TEMPLATE = 'gatehouse_template';

/** A database of a suite's own. */
export interface TestDatabase {
  readonly url: string;
  /** For looking and for moving time: suites never write what the application would write. */
  readonly pool: Pool;
  drop(): Promise<void>;
}

/** The address of a database on the run's own PostgreSQL server. */
function urlOf(name: string): string {
  const server = process.env['TEST_DATABASE_SERVER'];
  if (server === undefined) throw new Error('the global set-up has not run');
  return server + name;
}

/** Runs one statement where no transaction may be: making and dropping databases. */
async function administer(statement: string): Promise<void> {
  const client = new Client({ connectionString: urlOf('gatehouse') });
  await client.connect();
  try {
    // Two suites that copy the template at the same moment would refuse each other.
    await client.query('SELECT pg_advisory_lock(1)');
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Makes a database: a migrated one, or an empty one where the start itself is what is tested. */
export async function createDatabase(kind: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const name = `suite_${randomBytes(6).toString('hex')}`;
  await administer(kind === 'migrated' ? `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}` : `CREATE DATABASE ${name}`);
  const pool = new Pool({ connectionString: urlOf(name), max: 3 });
  return {
    url: urlOf(name),
    pool,
    drop: async () => {
      await pool.end();
      await administer(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
