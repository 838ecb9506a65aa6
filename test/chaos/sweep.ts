import { beginEnding, type Ending, type History, type Moment } from './history.js';

/** One request that ends credentials, those included that come into being while it is under way. */
export class Sweep {
  private readonly endings: Ending[] = [];
  private closed: Moment | null = null;
  private answered: Moment | null = null;

  /** @param complete whether whatever began before its answer is over, or may have overtaken it */
  constructor(private readonly history: History, private readonly by: string, private readonly complete: boolean) {}

  /** A credential that is to be ended: from now on it may be refused. */
  add(credential: string): void {
    this.endings.push(beginEnding(this.history, credential, this.by));
  }

  /** A credential that came into being meanwhile: it has been ended too, or may have overtaken it. */
  addLate(credential: string): void {
    const ending = beginEnding(this.history, credential, this.by);
    if (!this.complete) return;
    if (this.answered !== null) ending.answered = performance.now();
    this.endings.push(ending);
  }

  /** Whether it was under way at some time between a moment and now. */
  overlaps(since: Moment): boolean {
    return this.closed === null || this.closed > since;
  }

  /** It was acknowledged. */
  finish(answered: Moment): void {
    this.answered = this.closed = answered;
    for (const ending of this.endings) ending.answered = answered;
  }

  /** Nobody will know whether it took effect. */
  giveUp(): void {
    this.closed = performance.now();
  }

  /**
   * Begins to undo it for some, as the keys of a disabled user come back.
   * @returns to be called when that is acknowledged
   */
  lift(credentials: readonly string[]): (answered: Moment) => void {
    const begun = performance.now();
    const lifted = this.endings.filter(({ credential }) => credentials.includes(credential));
    for (const ending of lifted) ending.liftBegun = begun;
    return (answered) => { for (const ending of lifted) ending.liftAnswered = answered; };
  }
}
