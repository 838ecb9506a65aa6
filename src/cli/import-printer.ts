import type { ImportOutcome, ImportReport, Refusal } from '../transfer/index.js';
import { type Output, shown } from './output.js';

/** Short work needs no progress. */
const TELL_EVERY_MS = 2_000;

/** Tells what becomes of an import: what is refused and the figures as the answer, the rest beside it. */
export class ImportPrinter implements ImportReport {
  private told: number | undefined;

  /** @param thing what a line of the file is */
  constructor(
    private readonly out: Output,
    private readonly thing: string,
    private readonly how: { dryRun: boolean; json: boolean },
  ) {}

  unused(names: readonly string[]): void {
    this.out.note(`Nothing is made of these columns: ${names.map(shown).join(', ')}.`);
  }

  refused(refusal: Refusal): Promise<void> {
    if (this.how.json) return this.out.jsonLine(refusal);
    const { line, field, reason } = refusal;
    return this.out.line(`line ${String(line)}: ${field === null ? '' : `${shown(field)} `}${shown(reason)}`);
  }

  progress(step: 'read' | 'written', count: number): void {
    this.told ??= performance.now();
    if (performance.now() - this.told < TELL_EVERY_MS) return;
    this.told = performance.now();
    this.out.note(step === 'read' ? `${String(count)} lines read …` : `${String(count)} ${this.thing}s written …`);
  }

  /** The figures, which come last. */
  end(outcome: ImportOutcome): Promise<void> {
    if (this.how.json) return this.out.jsonLine({ ...outcome, dryRun: this.how.dryRun });
    const { imported, unchanged, refused, done } = outcome;
    return this.out.line(
      `${this.counted(imported)} ${done ? 'imported' : 'would be imported'}, ${String(unchanged)} unchanged, `
        + `${String(refused)} line${refused === 1 ? '' : 's'} refused.${done ? '' : ' Nothing was written.'}`,
    );
  }

  private counted(count: number): string {
    return `${String(count)} ${this.thing}${count === 1 ? '' : 's'}`;
  }
}
