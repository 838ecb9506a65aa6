/**
 * Goes round a set again and again, so that each of its members has a turn once a period and no moment has much more to
 * do than another. Members may come and go at any time.
 */
export class Rounds<T> {
  private round: Iterator<T>;
  private due = 0;

  constructor(
    private readonly members: ReadonlySet<T>,
    private readonly periodMs: number,
  ) {
    this.round = members.values();
  }

  /** Whose turn has come in the time since the last call; never anybody twice. */
  next(elapsedMs: number): T[] {
    this.due = Math.min(this.due + (this.members.size * elapsedMs) / this.periodMs, this.members.size);
    const turns: T[] = [];
    for (; this.due >= 1; this.due -= 1) turns.push(this.nextOne());
    return turns;
  }

  private nextOne(): T {
    const next = this.round.next();
    if (!next.done) return next.value;
    this.round = this.members.values();
    return this.nextOne();
  }
}
