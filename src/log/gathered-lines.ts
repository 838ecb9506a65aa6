import type { DestinationStream } from 'pino';

/**
 * Lines of requests wait for one another until there are so many characters, or for so long. A pipe takes 4,096 bytes as
 * one piece (PIPE_BUF); another process that writes there could tear apart what is longer.
 */
const GATHERED_CHARACTERS = 4_000;
const GATHERED_MS = 100;
/** The message of such lines, and so their end. */
export const REQUEST = 'request';
const REQUEST_END = `"msg":"${REQUEST}"}\n`;

/**
 * Writes the lines of requests a few at a time: a write costs more than a line does. Everything else is handed on at
 * once, with all that came before it, and what is left when the process ends is written then; only a process that is killed
 * takes its last tenth of a second along.
 */
export class GatheredLines implements DestinationStream {
  private lines = '';
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly output: DestinationStream) {
    // Before the destination does the same: what it is given after that, it may keep.
    process.prependOnceListener('exit', () => { this.flush(); });
  }

  write(line: string): void {
    if (this.lines.length + line.length > GATHERED_CHARACTERS) this.flush();
    this.lines += line;
    if (!line.endsWith(REQUEST_END)) this.flush();
    else this.timer ??= setTimeout(() => { this.flush(); }, GATHERED_MS).unref();
  }

  private flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const { lines } = this;
    this.lines = '';
    if (lines !== '') this.output.write(lines);
  }
}
