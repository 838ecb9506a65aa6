/** libuv has four threads unless told otherwise; one must stay free for files and name look-ups. */
const MOST_AT_ONCE = 3;

/**
 * How many password hashes run at a time: more than there are cores would only take turns.
 * @param cores how many of the machine's this process may count on
 */
export function hashesAtOnce(cores: number): number {
  return Math.min(Math.max(Math.floor(cores), 1), MOST_AT_ONCE);
}

/** Runs so many pieces of work at a time, and the others in the order they came. */
export class HashSlots {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    // Whoever ends hands the slot to the next one.
    else await new Promise<void>((begin) => this.waiting.push(begin));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free += 1;
      else next();
    }
  }
}
