// Jest loads its global set-up outside of its own module system: plain ES modules, and the built server's keeper.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { startEmbeddedPostgres } from '../../dist/database/embedded/index.js';
import { dataSourceOptions, migrate } from '../../dist/database/index.js';

const TEMPLATE = 'gatehouse_template';

/** One throw-away PostgreSQL for the whole run, with a migrated database that each suite copies. */
export default async function globalSetup() {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
  // As root the server runs as another account, which has to get there; what is inside stays closed.
  chmodSync(directory, 0o711);
  const server = await startEmbeddedPostgres({
    dataDir: join(directory, 'data'),
    throwAway: true,
    reach: 'loopback',
    log: (level, message) => {
      if (level !== 'info') process.stderr.write(`test database: ${message}\n`);
    },
  });
  globalThis.gatehouseTestDatabase = { server, directory };
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

  const { host, port, user, password } = server.connection;
  process.env.TEST_DATABASE_SERVER = `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/`;
  await withDataSource(server.connection, (admin) => admin.query(`CREATE DATABASE ${TEMPLATE}`));
  await withDataSource({ ...server.connection, database: TEMPLATE }, migrate);
}

async function withDataSource(target, work) {
  const dataSource = await new DataSource(dataSourceOptions(target, 2)).initialize();
  try {
    await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
