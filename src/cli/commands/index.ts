import type { RegisterCommands } from '../command-group.js';
import { apiKeyCommands } from './api-key.js';
import { auditCommands } from './audit.js';
import { databaseCommands } from './database.js';
import { doctorCommand } from './doctor.js';
import { exportCommands } from './export.js';
import { importCommands } from './import.js';
import { migrateCommand } from './migrate.js';
import { ownerCommands } from './owner.js';
import { sessionCommands } from './session.js';
import { startCommand } from './start.js';
import { userCommands } from './user.js';
import { versionCommand } from './version.js';
import { webhookCommands } from './webhook.js';

/** Every command, in the order of the help. To add one, write its file and add its line. */
export const COMMANDS: readonly RegisterCommands[] = [
  startCommand,
  migrateCommand,
  databaseCommands,
  doctorCommand,
  ownerCommands,
  userCommands,
  apiKeyCommands,
  sessionCommands,
  auditCommands,
  webhookCommands,
  importCommands,
  exportCommands,
  versionCommand,
];
