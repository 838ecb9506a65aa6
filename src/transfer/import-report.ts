/** Why something of a file was not taken. */
export interface Refusal {
  readonly line: number;
  /** As the file calls it; `null` when it is about the line. */
  readonly field: string | null;
  readonly reason: string;
}

/** Hears of an import while it is under way. */
export interface ImportReport {
  /** Columns that nothing is made of. */
  unused(names: readonly string[]): void;
  /** Something is wrong with a line; of one line there may be several. */
  refused(refusal: Refusal): Promise<void>;
  progress(step: 'read' | 'written', count: number): void;
}

export interface ImportOptions {
  /** Only looks what would be done. */
  readonly dryRun: boolean;
  /** Leaves out what cannot be taken, in place of everything. */
  readonly skipInvalid: boolean;
}

/** What an import did, or would do. */
export interface ImportOutcome {
  readonly read: number;
  readonly imported: number;
  /** There already, and left as they are. */
  readonly unchanged: number;
  readonly refused: number;
  /** `false`: nothing was written, because it was not to be, or because something was refused. */
  readonly done: boolean;
}
