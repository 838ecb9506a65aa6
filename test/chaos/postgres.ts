import { readFileSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded/index.js';
import { makeDirectory, type TestDirectory } from '../support/directory.js';

/** A PostgreSQL of the suite's own, as durable as in production, to be stopped and broken at will. */
export class Postgres {
  private constructor(
    private readonly directory: TestDirectory,
    private server: EmbeddedPostgres,
  ) {}

  static async start(): Promise<Postgres> {
    const directory = makeDirectory();
    return new Postgres(directory, await startServer(directory));
  }

  /** Its socket, which stays the same over restarts. */
  get address(): NetConnectOpts {
    const { host, port } = this.server.connection;
    return { path: join(host, `.s.PGSQL.${String(port)}`) };
  }

  /** The URL of its database, by way of a port on loopback. */
  urlAt(port: number): string {
    const { user, password, database } = this.server.connection;
    return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${String(port)}/${database}`;
  }

  /** Ends it: cleanly, or as a crash would. */
  async down(how: 'stopped' | 'crashed'): Promise<void> {
    if (how === 'crashed') {
      const [pid] = readFileSync(join(this.server.clusterDir, 'postmaster.pid'), 'utf8').split('\n');
      process.kill(Number(pid), 'SIGQUIT');
    }
    // The keeper would have it back at once.
    await this.server.stop();
  }

  async up(): Promise<void> {
    this.server = await startServer(this.directory);
  }

  /** Asks it directly, past the lines of the instances. */
  async query<Row extends QueryResultRow>(statement: string, values: unknown[] = []): Promise<Row[]> {
    const client = new Client(this.server.connection);
    await client.connect();
    try {
      return (await client.query<Row>(statement, values)).rows;
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    await this.server.stop();
    this.directory.remove();
  }
}

function startServer({ path }: TestDirectory): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir: join(path, 'data'), systemDir: join(path, 'system'), reach: 'socket', log: () => undefined });
}
