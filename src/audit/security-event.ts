import type { AuditAction } from './audit-actions.js';
import type { AuditDetail } from './audit-details.js';

/** Who did something, or to whom it was done. */
export interface AuditParty {
  readonly type: 'user' | 'api-key' | 'session';
  readonly id: string;
}

/** Something that happened, as the audit log has it. */
export interface SecurityEvent<A extends AuditAction = AuditAction> {
  readonly id: string;
  readonly at: Date;
  readonly action: A;
  readonly outcome: 'success' | 'failure';
  /** Who did it; `null` for the server itself and for people who did not get in. */
  readonly actor: AuditParty | null;
  readonly subject: AuditParty | null;
  /** The session that it was done in, or that it is about. */
  readonly sessionId: string | null;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  /** What is to be said beyond that; see `AuditDetail`. */
  readonly detail: AuditDetail<A> | null;
}
