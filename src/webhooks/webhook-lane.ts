import { Logger } from '@nestjs/common';
import type { ClaimedDelivery, WebhookDeliveries } from './webhook-deliveries.js';
import type { WebhookSender } from './webhook-sender.js';

const MOST_AT_ONCE = 10;

/** Where a lane leads to. */
export interface LaneEnd {
  readonly endpoint: string;
  readonly url: string;
}

/** Sends what is due to one endpoint, a few at a time: one that does not answer holds up nobody but itself. */
export class WebhookLane {
  private readonly logger = new Logger('WebhookDispatcher');
  private round: Promise<void> | null = null;
  private again = false;
  private finishing = false;
  private failing = false;

  /** @param stopping gives up the attempts that are under way, and begins no others */
  constructor(
    private readonly end: LaneEnd,
    private readonly deliveries: WebhookDeliveries,
    private readonly sender: WebhookSender,
    private readonly stopping: AbortSignal,
  ) {}

  /** One round at a time; whoever comes during one has another follow. */
  look(): void {
    if (this.finishing) return;
    this.again = true;
    this.round ??= this.rounds().finally(() => { this.round = null; });
  }

  /** Begins no other round, and waits for the one that is under way. */
  async finish(): Promise<void> {
    this.finishing = true;
    this.again = false;
    await this.round;
  }

  private async rounds(): Promise<void> {
    while (this.again) {
      this.again = false;
      try {
        const claimed = await this.deliveries.claim(this.end.endpoint, MOST_AT_ONCE);
        await Promise.all(claimed.map((delivery) => this.attempt(delivery)));
        if (claimed.length === MOST_AT_ONCE && !this.finishing) this.again = true;
        this.failing = false;
      } catch (error) {
        // Told once: it is tried every other second for as long as the database is away.
        if (!this.failing) this.logger.warn(`Web hooks could not be sent: ${error instanceof Error ? error.message : String(error)}`);
        this.failing = true;
      }
    }
  }

  private async attempt(delivery: ClaimedDelivery): Promise<void> {
    const attempt = await this.sender.send(this.end.url, delivery.event, this.stopping);
    switch (attempt.result) {
      case 'delivered':
        return this.deliveries.succeed(delivery);
      case 'failed':
        return this.deliveries.fail(delivery, attempt.error);
      case 'abandoned':
        // Nobody knows whether it arrived. When the lease ends it is anybody's again.
        return;
      case 'gone':
        return this.deliveries.giveUp(delivery, attempt.error);
    }
  }
}
