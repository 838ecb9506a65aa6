import type { Dialect } from '../dialect.js';
import { CHATOPS_ERRORS } from './chatops-errors.js';
import { chatopsCredentials } from './chatops.credentials.js';
import { ChatOpsModule } from './chatops.module.js';

/** ChatOps: accounts for people, servers, and API keys with which the servers' agents connect. */
export const chatops: Dialect = {
  name: 'chatops',
  basePath: '/api/v1',
  paths: ['/api/v1/auth', '/api/v1/servers', '/api/v1/api-keys', '/api/v1/agents'],
  defaults: { REGISTRATION: 'open' },
  module: ChatOpsModule,
  credentials: chatopsCredentials,
  errors: CHATOPS_ERRORS,
};
