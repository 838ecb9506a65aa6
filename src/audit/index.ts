export type { AuditAction } from './audit-actions.js';
export { AuditEvent } from './audit-event.entity.js';
export { AuditLog, partyOf } from './audit-log.js';
export { AuditModule } from './audit.module.js';
