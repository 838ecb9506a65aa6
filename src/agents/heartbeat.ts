import { Rounds } from './rounds.js';

const TICK_MS = 1_000;
const PERIOD_MS = 30_000;

/** What has to show from time to time that it is still there. */
export interface Beating {
  /** Asks whether it is there; ends it when it has not answered since it was asked last. */
  beat(): void;
}

/** Pings every connection in its turn, with one timer for all of them, which runs while there are any. */
export class Heartbeat {
  private readonly rounds: Rounds<Beating>;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly connections: ReadonlySet<Beating>,
    periodMs = PERIOD_MS,
    private readonly tickMs = TICK_MS,
  ) {
    this.rounds = new Rounds(connections, periodMs);
  }

  /** To be called when a connection has come. */
  start(): void {
    this.timer ??= setInterval(() => { this.tick(); }, this.tickMs).unref();
  }

  /** Counts ticks, not time: after a halt of the whole process the answers are still unread, and nobody is to blame. */
  private tick(): void {
    for (const connection of this.rounds.next(this.tickMs)) connection.beat();
    if (this.connections.size > 0 || this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
  }
}
