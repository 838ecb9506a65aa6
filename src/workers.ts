import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { Logger as Pino } from 'pino';
import { closeWhatIsHandedTo } from './handed-over.js';
import { StartError } from './start-error.js';
import { isFromWorker, type Order, type ServerReport, type ToWorker, WORKER_VARIABLE } from './worker-messages.js';

const SOONEST_RESTART_MS = 100;
const LATEST_RESTART_MS = 30_000;
/** A worker that ends again within this time has not recovered. */
const STEADY_AFTER_MS = 60_000;
/** With no worker left, so many ends in a row are enough. */
const MOST_FAILURES = 5;
/** A worker that has not ended by itself so long after the stop, and the delay before it, is killed. */
const LONGEST_STOP_MS = 9_000;

/** The place of a worker, which one process after the other may take. */
interface Place {
  worker: Worker | null;
  /** Null until it listens. */
  upSince: number | null;
  /** Ends in a row. */
  failures: number;
  restart: NodeJS.Timeout | undefined;
}

/** The processes that share the port, from the side of the one that started them. */
export class Workers {
  private readonly places: Place[] = [];
  private stopping = false;
  /** What all but the first have to do. */
  private followers: Promise<Order>;

  /** @param onLost told when no worker is left and none can be started any more */
  constructor(
    private readonly order: Order,
    private readonly log: Pino,
    private readonly onLost: (error: Error) => void,
  ) {
    this.followers = Promise.resolve(order);
  }

  /**
   * Starts workers. All load their program at once, but the first has its turn alone, so that what is done once is done,
   * and what is wrong is told, once.
   * @returns what the first says of its server
   * @throws StartError when one of them does not start
   */
  async start(count: number): Promise<ServerReport> {
    const [first, ...others] = Array.from({ length: count }, (): Place => ({ worker: null, upSince: null, failures: 0, restart: undefined }));
    if (first === undefined) throw new Error('no worker is wanted');
    this.places.push(first, ...others);
    const starting = this.fork(first, this.order);
    // Those that follow listen where the first does, whatever changes meanwhile.
    this.followers = starting.then(({ host }) => ({ ...this.order, settings: { ...this.order.settings, host } }));
    // Told by the first itself.
    this.followers.catch(() => undefined);
    await Promise.all([starting, ...others.map((place) => this.fork(place, this.followers))]);
    return starting;
  }

  /**
   * Has all of them stop, and waits until they have.
   * @throws Error when one of them did not stop in order
   */
  async stop(delaySeconds: number): Promise<void> {
    this.stopping = true;
    const running = this.places.flatMap(({ worker, restart }) => {
      clearTimeout(restart);
      return worker === null ? [] : [worker];
    });
    const ended = running.map(async ({ process }) => ((await once(process, 'close')) as [code: number | null])[0]);
    for (const worker of running) tell(worker, { gatehouse: 'stop', delaySeconds });
    const timer = setTimeout(() => { for (const { process } of running) process.kill('SIGKILL'); }, delaySeconds * 1000 + LONGEST_STOP_MS);
    const codes = await Promise.all(ended);
    clearTimeout(timer);
    if (codes.some((code) => code !== 0)) throw new Error(`not all workers stopped in order: they ended with ${codes.map(String).join(', ')}`);
  }

  /**
   * Starts a process in a place; one that ends once it has listened is replaced.
   * @throws StartError when it ends before
   */
  private fork(place: Place, order: Order | Promise<Order>): Promise<ServerReport> {
    if (this.stopping) return Promise.reject(new StartError('the server is stopping'));
    const worker = cluster.fork({ [WORKER_VARIABLE]: '1' });
    place.worker = worker;
    closeWhatIsHandedTo(worker);
    return new Promise((resolve, reject) => {
      let reason: string | null = null;
      const end = (how: string): void => {
        const { upSince } = place;
        place.worker = place.upSince = null;
        if (upSince === null) reject(new StartError(reason ?? `a worker ended with ${how} while it was starting`));
        else this.replace(place, `process ${String(worker.process.pid)} ended with ${how}`, upSince);
      };
      worker.on('message', (message: unknown) => {
        if (!isFromWorker(message)) return;
        if (message.gatehouse === 'hello') Promise.resolve(order).then((given) => { tell(worker, { gatehouse: 'start', order: given }); }, reject);
        else if (message.gatehouse === 'failed') reason = message.reason;
        else {
          place.upSince = performance.now();
          resolve(message.server);
        }
      });
      // Not `exit`: what it said last may be read after that.
      worker.process.once('close', (code, signal) => { end(signal ?? `exit code ${String(code)}`); });
      worker.on('error', (error) => { if (worker.process.pid === undefined) end(error.message); });
    });
  }

  private replace(place: Place, what: string, upSince: number | null): void {
    if (this.stopping) return;
    if (upSince !== null && performance.now() - upSince > STEADY_AFTER_MS) place.failures = 0;
    const wait = Math.min(SOONEST_RESTART_MS * 2 ** place.failures, LATEST_RESTART_MS);
    place.failures += 1;
    this.log.error({ context: 'Workers' }, `${what}; starting another in ${String(wait)} ms`);
    place.restart = setTimeout(() => { void this.restart(place); }, wait);
  }

  private async restart(place: Place): Promise<void> {
    try {
      await this.fork(place, this.followers);
      this.log.info({ context: 'Workers' }, `process ${String(place.worker?.process.pid)} is up in its place`);
    } catch (error) {
      const { message } = error as StartError;
      const anyUp = this.places.some(({ upSince }) => upSince !== null);
      if (!this.stopping && !anyUp && place.failures >= MOST_FAILURES) this.onLost(new StartError(message));
      else this.replace(place, message, null);
    }
  }
}

/** A worker that is gone hears nothing, and its end is noticed elsewhere. */
function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined);
}
