import { setTimeout as delay } from 'node:timers/promises';
import { DataDirInUseError, EmbeddedPostgresError, inWords } from './embedded-postgres-error.js';
import { disconnect } from './ownership.js';
import { releaseReach } from './reach.js';
import type { ServerPlan } from './server.js';
import { type Log, type OwnedServer, takeLockOnOwn, takeServer } from './take-server.js';

/** A server that dies again within this time has not recovered. */
const STEADY_AFTER = 60_000;
const FAILURES = 5;
const SOONEST_RESTART = 100;

/** Keeps the server running and owned until it is told to stop, or has to give up. */
export class Keeper {
  private readonly stopped = new AbortController();
  private failures = 0;
  private upSince = Date.now();
  private recovery: Promise<void> = Promise.resolve();
  private stopping: Promise<void> | undefined;
  /** null while there is none, and after it was lost for good */
  private owned: OwnedServer | null = null;

  constructor(
    private readonly plan: ServerPlan,
    owned: OwnedServer,
    private readonly log: Log,
    private readonly onLost: (error: Error) => void,
  ) {
    this.watch(owned);
  }

  /** Stops the server; to be called last, when nothing uses the database any more. */
  stop(): Promise<void> {
    return this.stopping ??= this.end();
  }

  private async end(): Promise<void> {
    this.stopped.abort();
    await this.recovery;
    if (this.owned) {
      await this.owned.server.stop();
      disconnect(this.owned.lock);
    }
    await releaseReach(this.plan.reach.host);
  }

  private watch(owned: OwnedServer): void {
    this.owned = owned;
    this.upSince = Date.now();
    let noticed = false;
    // A dying server cuts the lock's connection first; either event starts the same recovery, once.
    const recover = () => {
      if (noticed || this.stopped.signal.aborted) return;
      noticed = true;
      this.recovery = this.recover(owned);
    };
    owned.lock.once('end', recover);
    void owned.server.exited.then(recover);
  }

  private async recover(lost: OwnedServer): Promise<void> {
    try {
      this.watch(await this.lockAgain(lost) ?? await this.restart(lost));
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      this.owned = null;
      const reason = inWords(error, this.plan.home.dataDir);
      this.log('error', `the embedded PostgreSQL is lost: ${reason.message}`);
      this.onLost(reason);
    }
  }

  /** If the connection alone was cut, the lock is free for a moment, and whoever takes it owns the server. */
  private async lockAgain({ server }: OwnedServer): Promise<OwnedServer | null> {
    const lock = await takeLockOnOwn(this.plan, server, this.stopped.signal);
    if (lock !== null) this.log('warn', 'the connection that guards the data directory was cut; it is back');
    return lock && { server, lock };
  }

  private async restart({ server }: OwnedServer): Promise<OwnedServer> {
    await server.stop();
    this.owned = null;
    if (Date.now() - this.upSince > STEADY_AFTER) this.failures = 0;
    let last: unknown = new EmbeddedPostgresError(`it keeps ending; see ${this.plan.serverLog.path}`);
    while (this.failures < FAILURES) {
      this.log('error', `the embedded PostgreSQL ended unexpectedly; starting it again (see ${this.plan.serverLog.path})`);
      await delay(SOONEST_RESTART * 2 ** this.failures, undefined, { signal: this.stopped.signal });
      this.failures += 1;
      try {
        const owned = await takeServer(this.plan, this.log, this.stopped.signal);
        this.log('info', 'the embedded PostgreSQL is back');
        return owned;
      } catch (error) {
        if (this.stopped.signal.aborted) throw error;
        // A command that came in between has the database for a moment; another server keeps it.
        if (error instanceof DataDirInUseError && !error.passes) throw error;
        last = error;
        this.log('warn', inWords(error, this.plan.home.dataDir).message);
      }
    }
    throw last;
  }
}
