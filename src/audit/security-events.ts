import { Injectable, Logger } from '@nestjs/common';
import type { AuditAction } from './audit-actions.js';
import type { SecurityEvent } from './security-event.js';

/** Hears of an event. What it throws, or what its promise is rejected with, is logged and harms nobody. */
export type SecurityEventListener<A extends AuditAction = AuditAction> = (event: SecurityEvent<A>) => unknown;

/**
 * Tells other modules of security events, in the process where they happened, once they are committed: never of what
 * was rolled back. At most once; who must not miss one takes web hooks, or reads the audit log.
 */
@Injectable()
export class SecurityEvents {
  private readonly logger = new Logger(SecurityEvents.name);
  private readonly listeners = new Map<AuditAction | '*', Set<SecurityEventListener>>();

  /**
   * Has a listener called with every event of an action, or of all (`'*'`).
   * @returns takes the listener away again
   */
  on<A extends AuditAction>(action: A, listener: SecurityEventListener<A>): () => void;
  on(action: '*', listener: SecurityEventListener): () => void;
  on(action: AuditAction | '*', listener: SecurityEventListener): () => void {
    const listeners = this.listeners.get(action) ?? new Set();
    this.listeners.set(action, listeners.add(listener));
    return () => { listeners.delete(listener); };
  }

  /** Calls the listeners, after whatever is being done just now. Nobody waits for them. */
  publish(event: SecurityEvent): void {
    const listeners = [...(this.listeners.get(event.action) ?? []), ...(this.listeners.get('*') ?? [])];
    for (const listener of listeners) setImmediate(() => { void this.tell(listener, event); });
  }

  private async tell(listener: SecurityEventListener, event: SecurityEvent): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      this.logger.error(`A listener of ${event.action} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
