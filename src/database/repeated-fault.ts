const TELL_EVERY_MS = 60_000;

/** Tells of a fault that keeps coming back, such as those of timers while the database is away: once a minute at most. */
export class RepeatedFault {
  private toldAt = -Infinity;

  constructor(private readonly tell: (error: unknown) => void) {}

  occurred(error: unknown): void {
    const now = performance.now();
    if (now - this.toldAt < TELL_EVERY_MS) return;
    this.toldAt = now;
    this.tell(error);
  }
}
