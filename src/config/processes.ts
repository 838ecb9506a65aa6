import { availableParallelism } from 'node:os';
import type { Settings } from './settings.js';

/** How many processes share the port (`WEB_CONCURRENCY`). */
export function processesOf({ webConcurrency }: Settings): number {
  return webConcurrency === 'auto' ? availableParallelism() : Number(webConcurrency);
}
