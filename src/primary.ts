import { banner } from './banner.js';
import { ClaimToken } from './bootstrap/index.js';
import { processesOf, type Settings } from './config/index.js';
import type { EmbeddedPostgres } from './database/embedded/index.js';
import { fail } from './failure.js';
import { createLogger } from './log/index.js';
import { sumWorkers } from './metrics/index.js';
import { startEmbedded, withSecret } from './server.js';
import { stopOnSignals } from './signals.js';
import { Workers } from './workers.js';

/**
 * Runs a server as several processes that share a port. This one serves nobody: it keeps the embedded database, starts
 * and replaces the workers, and stops them all, the database last.
 */
export async function runPrimary(settings: Settings): Promise<void> {
  const log = await createLogger(settings);
  const onLost = (error: Error): never => fail('Gatehouse ends.', error);
  const stopping = new AbortController();
  let workers: Workers | null = null;
  const started = settings.databaseUrl === undefined ? startEmbedded(settings, log, onLost) : Promise.resolve(null);
  stopOnSignals(settings.shutdownDelay, async (delaySeconds) => {
    stopping.abort();
    await stop(started, workers, delaySeconds);
  });
  try {
    const embedded = await started;
    if (stopping.signal.aborted) return;
    const database = embedded?.connection ?? { url: settings.databaseUrl ?? '' };
    sumWorkers();
    workers = new Workers({ settings: withSecret(settings), database, claimToken: new ClaimToken().value }, log, onLost);
    banner(settings, await workers.start(processesOf(settings)));
  } catch (error) {
    if (stopping.signal.aborted) return;
    await stop(started, workers, 0).catch(() => undefined);
    throw error;
  }
}

async function stop(started: Promise<EmbeddedPostgres | null>, workers: Workers | null, delaySeconds: number): Promise<void> {
  try {
    await workers?.stop(delaySeconds);
  } finally {
    const embedded = await started.catch(() => null);
    await embedded?.stop();
  }
}
