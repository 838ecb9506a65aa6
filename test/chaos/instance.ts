import { setTimeout as delay } from 'node:timers/promises';
import { type Gatehouse, startGatehouse } from '../support/gatehouse.js';
import type { History } from './history.js';
import type { Target } from './wire.js';

const RETRY_MS = 200;
const LONGEST_START_MS = 120_000;

/** One instance, always on the same port, which is killed, stopped, frozen and started again. */
export class Instance implements Target {
  private gatehouse: Gatehouse | null = null;
  private starting: Promise<void> | null = null;
  private written = '';

  constructor(
    readonly name: string,
    readonly port: number,
    private readonly env: Record<string, string>,
    private readonly history: History,
  ) {}

  /** Starts it, as often as it takes, unless it is there. */
  async start(): Promise<void> {
    await (this.starting ??= this.tryToStart().finally(() => { this.starting = null; }));
  }

  private async tryToStart(): Promise<void> {
    const end = Date.now() + LONGEST_START_MS;
    while (this.gatehouse === null) {
      try {
        const gatehouse = await startGatehouse({ env: { ...this.env, PORT: String(this.port) } });
        gatehouse.process.once('exit', (code) => { this.noteEnd(gatehouse, code); });
        this.gatehouse = gatehouse;
      } catch (error) {
        const output = error instanceof Error ? error.message : String(error);
        this.history.failedStarts.push({ target: this.name, at: performance.now(), output });
        if (Date.now() > end) throw error;
        await delay(RETRY_MS);
      }
    }
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Stops it as an operator would. */
  async stop(): Promise<void> {
    const at = performance.now();
    const code = await this.end('SIGTERM');
    this.history.stops.push({ target: this.name, at, tookMs: performance.now() - at, code });
  }

  /** Takes the processor from it: everything that it does happens later. */
  freeze(): void {
    this.gatehouse?.process.kill('SIGSTOP');
  }

  thaw(): void {
    this.gatehouse?.process.kill('SIGCONT');
  }

  /** The lines of its log about a request, over all its lives. */
  linesAbout(requestId: string): string[] {
    return this.log.split('\n').filter((line) => line.includes(requestId));
  }

  private get log(): string {
    return this.written + (this.gatehouse?.output() ?? '');
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const { gatehouse } = this;
    if (gatehouse === null) return null;
    this.gatehouse = null;
    const code = await gatehouse.stop(signal);
    this.written += gatehouse.output();
    return code;
  }

  /** Nobody asked it to: it is a fault, and whoever runs it would start it again. */
  private noteEnd(gatehouse: Gatehouse, code: number | null): void {
    if (this.gatehouse !== gatehouse) return;
    this.gatehouse = null;
    this.written += gatehouse.output();
    const what = `ended by itself with code ${String(code)}: ${gatehouse.output().slice(-1_000)}`;
    this.history.surprises.push({ what, target: this.name, at: performance.now(), requestId: '' });
    void this.start();
  }
}
