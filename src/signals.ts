import { fail } from './failure.js';

/** Longer than a stop takes, the embedded database's included. */
const LONGEST_STOP_MS = 9_800;
/** Some process managers signal a process twice: itself, and through the parent that passes it on. */
const SAME_SIGNAL_MS = 100;

/** Begins the stop, if nothing has yet. */
export type BeginStop = (delaySeconds: number) => void;

/**
 * Stops the process on SIGTERM and SIGINT: exit code 0 when that is done. To be called before anything is started: a
 * signal in the middle of the start would otherwise end this process at once and leave the database behind.
 * @param delaySeconds how long SIGTERM leaves the server open; nobody waits for a load balancer after Ctrl-C
 * @returns what begins the same stop without a signal
 */
export function stopOnSignals(delaySeconds: number, stop: (delaySeconds: number) => Promise<void>): BeginStop {
  let since: number | null = null;
  const begin: BeginStop = (seconds) => {
    if (since !== null) return;
    since = performance.now();
    setTimeout(() => process.exit(1), seconds * 1000 + LONGEST_STOP_MS).unref();
    stop(seconds).then(() => process.exit(0), (error: unknown) => fail('Gatehouse did not stop in order.', error));
  };
  const hear = (seconds: number): void => {
    // A second Ctrl-C is somebody who does not want to wait.
    if (since !== null && performance.now() - since > SAME_SIGNAL_MS) process.exit(1);
    begin(seconds);
  };
  process.on('SIGTERM', () => { hear(delaySeconds); });
  process.on('SIGINT', () => { hear(0); });
  return begin;
}
