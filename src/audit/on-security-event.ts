import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { AuditAction } from './audit-actions.js';
import { type SecurityEventListener, SecurityEvents } from './security-events.js';

const LISTENS_TO = 'gatehouse:listens-to';

/**
 * Has a method of a provider called with the events of these actions, or with all (`'*'`), once they are committed.
 *
 *     @OnSecurityEvent('login.failed', 'account.locked')
 *     tell(event: SecurityEvent<'login.failed' | 'account.locked'>): Promise<void> { … }
 */
export function OnSecurityEvent<A extends AuditAction>(...actions: (A | '*')[]) {
  return <M extends SecurityEventListener<A>>(_: object, __: string | symbol, descriptor: TypedPropertyDescriptor<M>): void => {
    Reflect.defineMetadata(LISTENS_TO, actions, descriptor.value as object);
  };
}

/** Finds the methods that say they listen, in whatever module they are. */
@Injectable()
export class SecurityEventListeners implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
    private readonly events: SecurityEvents,
  ) {}

  onModuleInit(): void {
    for (const { instance } of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      if (typeof instance !== 'object' || instance === null) continue;
      const methods = instance as Record<string, SecurityEventListener>;
      const prototype = Object.getPrototypeOf(instance) as object | null;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const method = methods[name];
        if (typeof method !== 'function') continue;
        const actions = this.reflector.get<('*')[] | undefined>(LISTENS_TO, method) ?? [];
        for (const action of actions) this.events.on(action, (event) => methods[name]?.(event));
      }
    }
  }
}
