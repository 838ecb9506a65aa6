/**
 * A Gatehouse reduced to its keeper, for tests that need several processes or kill one: starts the embedded
 * PostgreSQL with the options given as JSON, reports to its parent, and stops when told to or left alone.
 */
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../../src/database/embedded/index.js';

export type KeeperReport =
  | { event: 'ready'; connection: EmbeddedPostgres['connection']; clusterDir: string }
  | { event: 'refused'; name: string; message: string }
  | { event: 'lost'; message: string }
  | { event: 'log'; message: string }
  | { event: 'stopped' };

const report = (message: KeeperReport) => { if (process.connected) process.send?.(message); };
const options = JSON.parse(process.argv[2] ?? '{}') as Omit<EmbeddedPostgresOptions, 'log' | 'onLost'>;

try {
  const server = await startEmbeddedPostgres({
    ...options,
    log: (level, message) => { report({ event: 'log', message: `${level}: ${message}` }); },
    onLost: (error) => { report({ event: 'lost', message: error.message }); },
  });
  report({ event: 'ready', connection: server.connection, clusterDir: server.clusterDir });
  const stop = async () => {
    await server.stop();
    report({ event: 'stopped' });
    process.exit(0);
  };
  process.on('message', (order) => {
    // 'exit' is an end without a word to the keeper, as after an uncaught exception.
    if (order === 'exit') process.exit(1);
    void stop();
  });
  process.on('disconnect', () => void stop());
} catch (error) {
  report({ event: 'refused', name: error instanceof Error ? error.name : '', message: error instanceof Error ? error.message : String(error) });
  process.disconnect();
}
