export { countDead } from './webhook-deliveries.js';
export { WebhooksModule } from './webhooks.module.js';
