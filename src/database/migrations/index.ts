import { InitialSchema20261101000000 } from './20261101000000-initial-schema.js';
import { AgentsAndChatOpsServers20261102000000 } from './20261102000000-agents-and-chatops-servers.js';
import { AuditSessionsAndWebhooks20261105000000 } from './20261105000000-audit-sessions-and-webhooks.js';

/** Every migration, oldest first. A migration that has been released is never edited. */
export const MIGRATIONS = [
  InitialSchema20261101000000,
  AgentsAndChatOpsServers20261102000000,
  AuditSessionsAndWebhooks20261105000000,
];
