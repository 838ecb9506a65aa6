export {
  ApiKeyOnly, type ApiKeyPrincipal, CurrentPrincipal, type Principal, Public, RequireScopes, type ResourceBinding, type Role,
  Roles, type UserPrincipal,
} from './access/index.js';
export { AUDIT_ACTIONS, type AuditAction, type AuditDetail, type AuditParty, OnSecurityEvent, type SecurityEvent, SecurityEvents } from './audit/index.js';
export { AppModule, type AppOptions } from './app.module.js';
export { SetupService } from './bootstrap/index.js';
export { type Environment, Settings, SettingsError } from './config/index.js';
export { AuthError, type AuthErrorCode } from './errors/index.js';
export { type Program, run } from './run.js';
export { type RunningServer, startServer } from './server.js';
export { loadSettings } from './settings.js';
