import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Housekeeping } from '../housekeeping/index.js';
import { WebhookDeliveries } from './webhook-deliveries.js';
import { WebhookDelivery } from './webhook-delivery.entity.js';
import { WebhookDispatcher } from './webhook-dispatcher.js';
import { WebhookSender } from './webhook-sender.js';

/** Tells other servers of security events, at least once each. */
@Module({
  imports: [TypeOrmModule.forFeature([WebhookDelivery])],
  providers: [WebhookDeliveries, WebhookDispatcher, WebhookSender],
  exports: [WebhookDeliveries],
})
export class WebhooksModule {
  constructor(housekeeping: Housekeeping) {
    housekeeping.add({ table: 'webhook_deliveries', key: 'id', since: 'delivered_at', keptSeconds: 7 * 86_400 });
    housekeeping.add({ table: 'webhook_deliveries', key: 'id', since: 'dead_at', keptSeconds: 90 * 86_400 });
  }
}
