import { setFlagsFromString } from 'node:v8';

/**
 * Loads and starts the program. That keeps much and throws little away: V8 would take it for a load to come, and hold 20 MB
 * more for short-lived objects than an idle server needs; once it listens, its requests may have them.
 */
export async function onModestHeap(start: () => Promise<void>): Promise<void> {
  setFlagsFromString('--semi-space-growth-factor=1');
  await start();
  setFlagsFromString('--semi-space-growth-factor=2');
}
