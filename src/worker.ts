import cluster from 'node:cluster';
import type { AppOptions } from './app.module.js';
import { type Environment, Settings } from './config/index.js';
import { explain } from './failure.js';
import { createLogger } from './log/index.js';
import { joinWorkers } from './metrics/index.js';
import { type RunningServer, startInstance } from './server.js';
import { stopOnSignals } from './signals.js';
import { type FromWorker, isToWorker, type Order, WORKER_VARIABLE } from './worker-messages.js';

/** Whether this process was forked by `runPrimary`. */
export function isWorker(env: Environment): boolean {
  return cluster.isWorker && env[WORKER_VARIABLE] !== undefined;
}

/**
 * Runs one of several processes that share a port, on the primary's orders. When the primary is gone, Node ends its
 * workers at once.
 */
export async function runWorker(imports: AppOptions['imports']): Promise<void> {
  joinWorkers();
  const stopping = new AbortController();
  let started: Promise<RunningServer | null> = Promise.resolve(null);
  const begin = stopOnSignals(0, async (delaySeconds) => {
    stopping.abort();
    const server = await started.catch(() => null);
    await server?.close(delaySeconds);
  });
  const order = await new Promise<Order>((resolve) => {
    process.on('message', (message) => {
      if (!isToWorker(message)) return;
      if (message.gatehouse === 'start') resolve(message.order);
      else begin(message.delaySeconds);
    });
    tell({ gatehouse: 'hello' });
  });
  try {
    const { settings: values, ...rest } = order;
    const settings = Object.freeze(Object.assign(new Settings(), values));
    const options = { settings, ...rest, ...(imports === undefined ? {} : { imports }) };
    const starting = createLogger(settings).then((log) => startInstance(options, log, stopping.signal));
    started = starting;
    const { url, host, nativeApi, dialects, claimToken, notices } = await starting;
    tell({ gatehouse: 'listening', server: { url, host, nativeApi, dialects, claimToken, notices } });
  } catch (error) {
    if (!stopping.signal.aborted) tell({ gatehouse: 'failed', reason: explain(error) }, () => process.exit(1));
  }
}

function tell(message: FromWorker, then?: () => void): void {
  process.send?.(message, undefined, undefined, then);
}
