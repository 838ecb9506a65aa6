import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SecurityEvents, WebhookEndpoints } from '../audit/index.js';
import { type ClaimedDelivery, WebhookDeliveries } from './webhook-deliveries.js';
import { WebhookSender } from './webhook-sender.js';

/** What this process has committed itself it sends at once; this is for retries, and for what others left behind. */
const LOOK_EVERY_MS = 2_000;
const MOST_AT_ONCE = 10;
/** An answer that is on its way when the server stops may still be heard; otherwise it is sent once more by another. */
const LONGEST_GOODBYE_MS = 500;

/** Sends what is due, a few at a time, beside the requests and never in their way. */
@Injectable()
export class WebhookDispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(WebhookDispatcher.name);
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> | null = null;
  private again = false;
  private failing = false;

  constructor(
    private readonly endpoints: WebhookEndpoints,
    private readonly deliveries: WebhookDeliveries,
    private readonly sender: WebhookSender,
    private readonly events: SecurityEvents,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.endpoints.some) return;
    this.events.on('*', ({ action }) => { if (this.endpoints.for(action).length > 0) this.look(); });
    this.timer = setInterval(() => { this.look(); }, LOOK_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.again = false;
    const giveUp = setTimeout(() => { this.stopping.abort(); }, LONGEST_GOODBYE_MS);
    await this.round;
    clearTimeout(giveUp);
    this.stopping.abort();
  }

  /** One round at a time; whoever comes during one has another follow. */
  private look(): void {
    if (this.stopping.signal.aborted) return;
    this.again = true;
    this.round ??= this.rounds().finally(() => { this.round = null; });
  }

  private async rounds(): Promise<void> {
    while (this.again) {
      this.again = false;
      try {
        const claimed = await this.deliveries.claim(MOST_AT_ONCE);
        await Promise.all(claimed.map((delivery) => this.attempt(delivery)));
        if (claimed.length === MOST_AT_ONCE && !this.stopping.signal.aborted) this.again = true;
        this.failing = false;
      } catch (error) {
        // Told once: it is tried every other second for as long as the database is away.
        if (!this.failing) this.logger.warn(`Web hooks could not be sent: ${error instanceof Error ? error.message : String(error)}`);
        this.failing = true;
      }
    }
  }

  private async attempt(delivery: ClaimedDelivery): Promise<void> {
    const attempt = await this.sender.send(delivery.endpoint, delivery.event, this.stopping.signal);
    switch (attempt.result) {
      case 'delivered':
        return this.deliveries.succeed(delivery);
      case 'failed':
        return this.deliveries.fail(delivery, attempt.error);
      case 'abandoned':
        // Nobody knows whether it arrived. When the lease ends it is anybody's again.
        return;
      case 'gone':
        return this.deliveries.giveUp(delivery.id, attempt.error);
    }
  }
}
