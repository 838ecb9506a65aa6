export { countDead, findDead, retryDead } from './dead-letters.js';
export { WebhooksModule } from './webhooks.module.js';
