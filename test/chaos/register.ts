import { acknowledge, type History, type Moment, type Write } from './history.js';

interface Change {
  readonly value: string;
  readonly begun: Moment;
  /** `null` as long as nobody has said that it is done. */
  write: Write | null;
}

/** A value that several clients change, one over the other, and that is looked at in the end. */
export class Register {
  private readonly changes: Change[] = [];

  constructor(private readonly history: History, private readonly what: string) {}

  /** A change is asked for. @returns to be called when it is acknowledged */
  begin(value: string): (answered: Moment) => void {
    const change: Change = { value, begun: performance.now(), write: null };
    this.changes.push(change);
    return (answered) => { change.write = acknowledge(this.history, this.what, value, answered); };
  }

  /**
   * Compares with what is there in the end. A change that was acknowledged is kept if that value can have come after it:
   * its own, one that was acknowledged after the change was asked for, or one that nobody answered.
   */
  settle(found: string | null): void {
    const candidates = this.changes.filter(({ value }) => value === found);
    for (const { write, begun } of this.changes) {
      if (write !== null) write.found = candidates.some((last) => last.write === null || last.write.answered >= begun);
    }
  }
}
