/** What answers questions together is not to grow with however many requests there are at once. */
const MOST_QUESTIONS = 500;

interface Asked<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Has questions that are asked in one turn of the event loop answered together. They are sent when the turn is over, and so
 * after whatever each of those who ask has seen; nobody waits for an answer that is under way to somebody else, nor longer
 * than it takes to read the requests that have arrived. The busier the process, the more of them share the cost.
 */
export class Gathered<Question, Answer> {
  private asked: Asked<Question, Answer>[] = [];

  /** @param answer an answer for each question, in their order; what it throws is thrown to each who asked */
  constructor(private readonly answer: (questions: readonly Question[]) => Promise<readonly Answer[]>) {}

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.asked.push({ question, resolve, reject });
      if (this.asked.length === 1) setImmediate(() => { this.send(); });
      else if (this.asked.length === MOST_QUESTIONS) this.send();
    });
  }

  private send(): void {
    const { asked } = this;
    // They were too many to wait for the end of the turn.
    if (asked.length === 0) return;
    this.asked = [];
    this.answer(asked.map(({ question }) => question)).then(
      (answers) => { asked.forEach(({ resolve }, at) => { resolve(answers[at] as Answer); }); },
      (error: unknown) => { for (const { reject } of asked) reject(error); },
    );
  }
}

/**
 * Rows by their keys, or `null`; those that are asked for together are looked up together.
 * @param look says of each row in its property `key` which one it is for
 */
export function gatheredRows<Row extends { readonly key: string }>(look: (keys: readonly string[]) => Promise<readonly Row[]>): Gathered<string, Row | null> {
  return new Gathered(async (keys) => {
    const rows = new Map((await look(keys)).map((row) => [row.key, row]));
    return keys.map((key) => rows.get(key) ?? null);
  });
}
