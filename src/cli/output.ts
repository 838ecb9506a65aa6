/** Nobody reads any more: the end of `gatehouse … | head`. */
export class PipeClosed extends Error {}

/** A terminal obeys these; what somebody once sent as a user agent must not move its cursor. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
/** Those of them that JSON may have in its strings as they are. */
const CONTROL_IN_JSON = /[\u007f-\u009f\u2028\u2029]/g;

/** Answers go to standard output, which scripts read; everything else to standard error. */
export class Output {
  constructor(
    private readonly stdout: NodeJS.WritableStream = process.stdout,
    private readonly stderr: NodeJS.WritableStream = process.stderr,
  ) {
    // Without listeners a closed pipe would end the process; `write` is told as well.
    stdout.on('error', () => undefined);
    stderr.on('error', () => undefined);
  }

  /** A line of the answer. Waits until it is taken. @throws PipeClosed */
  line(text: string): Promise<void> {
    return this.write(`${text}\n`);
  }

  /** A value as JSON, for people who read it too. */
  json(value: unknown): Promise<void> {
    return this.line(toJson(value, 2));
  }

  /** A value as one line of JSON. */
  jsonLine(value: unknown): Promise<void> {
    return this.line(toJson(value));
  }

  /** A table that is printed piece by piece, so that a long one need not be held. */
  table(...headings: string[]): Table {
    return new Table(this, headings);
  }

  /** One thing, a property a line. */
  async properties(properties: Record<string, Cell>): Promise<void> {
    const longest = Math.max(...Object.keys(properties).map((name) => name.length));
    for (const [name, value] of Object.entries(properties)) await this.line(`${name.padEnd(longest)}  ${shown(value)}`);
  }

  /** A remark beside the answer. */
  note(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /** @throws PipeClosed */
  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.stdout.write(text, (error) => {
        if (error == null) resolve();
        else reject((error as NodeJS.ErrnoException).code === 'EPIPE' ? new PipeClosed() : error);
      });
    });
  }
}

/** Columns below their headings. */
export class Table {
  private readonly widths: number[];
  private headed = false;

  constructor(
    private readonly out: Output,
    private readonly headings: readonly string[],
  ) {
    this.widths = headings.map(width);
  }

  /** Adds rows; columns grow where they have to. */
  async add(rows: readonly (readonly Cell[])[]): Promise<void> {
    const lines = rows.map((row) => row.map(shown));
    for (const cells of lines) cells.forEach((cell, column) => { this.widths[column] = Math.max(this.widths[column] ?? 0, width(cell)); });
    if (!this.headed) lines.unshift([...this.headings]);
    this.headed = true;
    for (const cells of lines) await this.out.line(cells.map((cell, column) => this.padded(cell, column)).join('  ').trimEnd());
  }

  private padded(cell: string, column: number): string {
    return cell + ' '.repeat(Math.max(0, (this.widths[column] ?? 0) - width(cell)));
  }
}

/** A value as JSON, which a terminal shows without obeying it. */
export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(CONTROL_IN_JSON, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What a column can show. */
export type Cell = string | number | Date | null | undefined;

/** A value as people read it; nothing is a dash, a time is in UTC to the second. */
export function shown(value: Cell): string {
  if (value === null || value === undefined || value === '') return '-';
  if (value instanceof Date) return `${value.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return String(value).replace(CONTROL, '\ufffd');
}

function width(text: string): number {
  return [...text].length;
}
