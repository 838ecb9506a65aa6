import type { Api, RequestOptions } from './client.js';

interface Shot {
  sentAt: number;
  status: number;
}

/**
 * Sends one request over and over to several servers, several at a time on each, while something else happens. Times are
 * of this process: whatever was sent after an answer arrived, was sent after it was given.
 */
export class Hammer {
  private readonly shots: Shot[] = [];
  private readonly workers: Promise<void>[];
  private stopped = false;

  constructor(servers: readonly Api[], target: string, options: RequestOptions, atOnce = 6) {
    this.workers = servers.flatMap((server) =>
      Array.from({ length: atOnce }, async () => {
        while (!this.stopped) {
          const sentAt = performance.now();
          const { status } = await server.call(target, options);
          this.shots.push({ sentAt, status });
        }
      }),
    );
  }

  /** Resolves once this many requests have been accepted since the start. */
  async untilAccepted(atLeast: number): Promise<void> {
    while (this.accepted.length < atLeast) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Resolves once this many requests have been sent after a moment, and answered. */
  async untilSentAfter(moment: number, atLeast: number): Promise<void> {
    while (this.sentAfter(moment).length < atLeast) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Stops, and waits for the last answers. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.workers);
  }

  /** What was sent after a moment. */
  sentAfter(moment: number): readonly Shot[] {
    return this.shots.filter(({ sentAt }) => sentAt > moment);
  }

  /** The statuses of what was sent after a moment, each once. */
  statusesAfter(moment: number): number[] {
    return [...new Set(this.sentAfter(moment).map(({ status }) => status))];
  }

  get accepted(): Shot[] {
    return this.shots.filter(({ status }) => status === 200);
  }
}
