import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SecurityEvents, WebhookEndpoints } from '../audit/index.js';
import { WebhookDeliveries } from './webhook-deliveries.js';
import { WebhookLane } from './webhook-lane.js';
import { WebhookSender } from './webhook-sender.js';

/** What this process has committed itself it sends at once; this is for retries, and for what others left behind. */
const LOOK_EVERY_MS = 2_000;
const GIVE_UP_EVERY_MS = 60 * 60_000;
/** An answer that is on its way when the server stops may still be heard; otherwise it is sent once more by another. */
const LONGEST_GOODBYE_MS = 500;

/** Sends what is due, beside the requests and never in their way. */
@Injectable()
export class WebhookDispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(WebhookDispatcher.name);
  private readonly stopping = new AbortController();
  private readonly lanes: readonly WebhookLane[];
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly endpoints: WebhookEndpoints,
    private readonly deliveries: WebhookDeliveries,
    sender: WebhookSender,
    private readonly events: SecurityEvents,
  ) {
    const { signal } = this.stopping;
    this.lanes = endpoints.ids.map((endpoint) => new WebhookLane({ endpoint, url: endpoints.urlOf(endpoint) }, deliveries, sender, signal));
  }

  onApplicationBootstrap(): void {
    this.giveUpForgotten();
    this.timers.push(setInterval(() => { this.giveUpForgotten(); }, GIVE_UP_EVERY_MS).unref());
    if (this.lanes.length === 0) return;
    this.events.on('*', ({ action }) => { if (this.endpoints.for(action).length > 0) this.look(); });
    this.timers.push(setInterval(() => { this.look(); }, LOOK_EVERY_MS).unref());
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    const giveUp = setTimeout(() => { this.stopping.abort(); }, LONGEST_GOODBYE_MS);
    await Promise.all(this.lanes.map((lane) => lane.finish()));
    clearTimeout(giveUp);
    this.stopping.abort();
  }

  private look(): void {
    for (const lane of this.lanes) lane.look();
  }

  /** Also where no endpoint is left: what was meant for one is not to wait for ever, unseen. */
  private giveUpForgotten(): void {
    this.deliveries.giveUpForgotten(this.endpoints.ids).catch((error: unknown) => {
      this.logger.debug(`Forgotten deliveries could not be given up: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}
