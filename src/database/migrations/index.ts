import { InitialSchema20261101000000 } from './20261101000000-initial-schema.js';
import { AgentsAndChatOpsServers20261102000000 } from './20261102000000-agents-and-chatops-servers.js';
import { OwnersAndSearchIndexes20261104000000 } from './20261104000000-owners-and-search-indexes.js';
import { AgentsAtScale20261105000000 } from './20261105000000-agents-at-scale.js';
import { AuditSessionsAndWebhooks20261107000000 } from './20261107000000-audit-sessions-and-webhooks.js';
import { SearchStatistics20261108000000 } from './20261108000000-search-statistics.js';
import { RecoveryClaims20261110000000 } from './20261110000000-recovery-claims.js';
import { ServerInstances20261113000000 } from './20261113000000-server-instances.js';
import { ImportedAccounts20261114000000 } from './20261114000000-imported-accounts.js';

/**
 * Every migration, oldest first. A migration that has been released is never edited. While it runs, instances of the
 * release before serve requests: it takes away nothing that they use, and locks no table for longer than a moment.
 * Indexes on tables that may be large are built by `buildIndex`.
 */
export const MIGRATIONS = [
  InitialSchema20261101000000,
  AgentsAndChatOpsServers20261102000000,
  OwnersAndSearchIndexes20261104000000,
  AgentsAtScale20261105000000,
  AuditSessionsAndWebhooks20261107000000,
  SearchStatistics20261108000000,
  RecoveryClaims20261110000000,
  ServerInstances20261113000000,
  ImportedAccounts20261114000000,
];
