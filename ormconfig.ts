import { existsSync, readFileSync } from 'node:fs';
import { DataSource } from 'typeorm';
import { AgentConnection } from './src/agents/index.js';
import { ApiKey } from './src/api-keys/index.js';
import { AuditEvent } from './src/audit/index.js';
import { SetupClaim, SetupMilestone } from './src/bootstrap/index.js';
import { loadSettings, mergeEnvFile } from './src/config/index.js';
import { dataSourceOptions } from './src/database/index.js';
import { Server as ChatOpsServer } from './src/dialects/chatops/index.js';
import { SecretAge, ServerInstance } from './src/doctor/index.js';
import { Session } from './src/sessions/index.js';
import { DeclaredAccount, LoginAttempts, User } from './src/users/index.js';

/**
 * For TypeORM's command line: `npm run migration:run` and `npm run migration:generate`. It works on `DATABASE_URL`; the
 * embedded database is brought up to date by the server that keeps it.
 */
const file = existsSync('.env') ? readFileSync('.env', 'utf8') : '';
const { databaseUrl, databasePoolSize } = loadSettings({ env: mergeEnvFile(file, process.env) });
if (databaseUrl === undefined) throw new Error('Set DATABASE_URL: the embedded database is migrated when the server starts.');

export default new DataSource({
  ...dataSourceOptions({ url: databaseUrl }, databasePoolSize),
  entities: [AgentConnection, ApiKey, AuditEvent, ChatOpsServer, DeclaredAccount, LoginAttempts, SecretAge, ServerInstance, Session, SetupClaim, SetupMilestone, User],
});
