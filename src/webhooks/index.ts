export { type DeadDelivery, WebhookDeliveries } from './webhook-deliveries.js';
export { WebhooksModule } from './webhooks.module.js';
