import type { AppOptions } from './app.module.js';
import type { Settings } from './config/index.js';
import type { RunningServer } from './server.js';

/** Set in the environment of the processes that `run` forks. Being a worker is not enough: process managers have workers too. */
export const WORKER_VARIABLE = 'GATEHOUSE_WORKER';

/** What a worker works with. It reads neither environment nor files itself: all of them have the same, whenever they start. */
export interface Order {
  readonly settings: Settings;
  readonly database: AppOptions['database'];
  readonly claimToken: string;
}

/** What a worker tells of its server: all but how to stop it. */
export type ServerReport = Omit<RunningServer, 'close'>;

/** From the primary to a worker. */
export type ToWorker =
  | { readonly gatehouse: 'start'; readonly order: Order }
  | { readonly gatehouse: 'stop'; readonly delaySeconds: number };

/** From a worker to the primary. */
export type FromWorker =
  /** It is there and waits for its order. */
  | { readonly gatehouse: 'hello' }
  | { readonly gatehouse: 'listening'; readonly server: ServerReport }
  /** It cannot start, and ends. */
  | { readonly gatehouse: 'failed'; readonly reason: string };

/** Node and libraries send messages of their own between the processes. */
export function isToWorker(message: unknown): message is ToWorker {
  return isOurs(message);
}

export function isFromWorker(message: unknown): message is FromWorker {
  return isOurs(message);
}

function isOurs(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'gatehouse' in message;
}
