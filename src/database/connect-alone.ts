import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';

/**
 * Connects beside the pool, for what holds a connection longer than a statement takes: a lock that one waits for,
 * notifications. Statements have no time limit here. The caller listens to the connection's end, and ends it.
 */
export async function connectAlone(dataSource: DataSource, purpose: string): Promise<Client> {
  const { url, host, port, username, password, database, connectTimeoutMS } = dataSource.options as PostgresDataSourceOptions;
  const client = new Client({
    ...(url === undefined ? { host, port, user: username, password: password as string, database } : { connectionString: url }),
    application_name: `gatehouse ${purpose}`,
    connectionTimeoutMillis: connectTimeoutMS ?? 0,
    keepAlive: true,
  });
  // Without a listener a cut connection would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}
