import { InitialSchema20261101000000 } from './20261101000000-initial-schema.js';
import { AgentsAndChatOpsServers20261102000000 } from './20261102000000-agents-and-chatops-servers.js';

/** Every migration, oldest first. A migration that has been released is never edited. */
export const MIGRATIONS = [InitialSchema20261101000000, AgentsAndChatOpsServers20261102000000];
