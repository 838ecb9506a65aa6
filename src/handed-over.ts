import type { Worker } from 'node:cluster';

/** A connection in the primary, for as long as it is being handed over. */
interface Handle {
  close(): void;
}

/** To which worker a connection was handed last: one that does not take it sends it back, and another gets it. */
const holders = new WeakMap<Handle, Worker>();

/**
 * Closes the connection that a worker is being handed when it ends. `node:cluster` forgets it, open, and its client would
 * wait for ever; a connection that is closed can be made again.
 */
export function closeWhatIsHandedTo(worker: Worker): void {
  const { process } = worker;
  const send = process.send.bind(process) as (message: unknown, handle?: unknown, ...rest: unknown[]) => boolean;
  let last: Handle | null = null;
  process.send = (message: unknown, handle?: unknown, ...rest: unknown[]): boolean => {
    if (isHandle(handle)) {
      last = handle;
      holders.set(handle, worker);
    }
    return send(message, handle, ...rest);
  };
  process.once('exit', () => { if (last !== null && holders.get(last) === worker) last.close(); });
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Handle>).close === 'function';
}
