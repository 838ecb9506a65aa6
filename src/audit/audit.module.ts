import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Settings } from '../config/index.js';
import { Housekeeping } from '../housekeeping/index.js';
import { AuditEvent } from './audit-event.entity.js';
import { AuditLog } from './audit-log.js';
import { AuditController } from './audit.controller.js';
import { SecurityEventListeners } from './on-security-event.js';
import { SecurityEvents } from './security-events.js';
import { WebhookEndpoints } from './webhook-endpoints.js';

/** Global: every module that changes something writes here. */
@Global()
@Module({
  imports: [DiscoveryModule, TypeOrmModule.forFeature([AuditEvent])],
  controllers: [AuditController],
  providers: [AuditLog, SecurityEvents, SecurityEventListeners, WebhookEndpoints],
  exports: [AuditLog, SecurityEvents, WebhookEndpoints],
})
export class AuditModule {
  constructor(housekeeping: Housekeeping, { auditRetentionDays }: Settings) {
    if (auditRetentionDays === 0) return;
    housekeeping.add({ table: 'audit_events', key: 'id', since: 'at', keptSeconds: auditRetentionDays * 24 * 60 * 60, immutable: true });
  }
}
