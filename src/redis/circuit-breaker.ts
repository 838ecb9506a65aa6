/** So many commands that fail in a row open it. */
const MOST_FAILURES = 3;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** What has held for so long is not what fails again and again. */
const STEADY_AFTER_MS = 10_000;

/**
 * Whether it is worth asking. Open, nothing is asked at all; between pauses that grow, one probe finds out whether to
 * close it.
 */
export class CircuitBreaker {
  private closed = false;
  private closedAt = 0;
  private failures = 0;
  private pauses = 0;

  /** Whether commands are sent. */
  get isClosed(): boolean {
    return this.closed;
  }

  /** A probe has passed. */
  close(): void {
    this.closed = true;
    this.closedAt = performance.now();
    this.failures = 0;
  }

  open(): void {
    if (this.closed && performance.now() - this.closedAt >= STEADY_AFTER_MS) this.pauses = 0;
    this.closed = false;
  }

  /** A command was answered. */
  succeeded(): void {
    this.failures = 0;
  }

  /** A command was not answered. @returns whether that was one too many */
  failed(): boolean {
    this.failures += 1;
    return this.failures >= MOST_FAILURES;
  }

  /** Milliseconds until the next probe; spread, so that instances do not come all at once. Opens it. */
  nextPause(): number {
    this.open();
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.pauses);
    this.pauses += 1;
    return pause * (0.5 + Math.random() / 2);
  }
}
