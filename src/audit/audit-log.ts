import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, LessThan, Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Principal } from '../access/index.js';
import { afterId, type Client, type Page, pageOf, type PageQuery } from '../http/index.js';
import { Metrics } from '../metrics/index.js';
import { AUDIT_ACTIONS, type AuditAction } from './audit-actions.js';
import { AuditEvent } from './audit-event.entity.js';

/** Who did something, or to whom it was done. */
export interface AuditParty {
  type: 'user' | 'api-key' | 'session';
  id: string;
}

/** An event to be written. */
export interface AuditEntry {
  action: AuditAction;
  outcome?: 'success' | 'failure';
  actor?: AuditParty | null;
  subject?: AuditParty | null;
  client: Client;
  /** Facts for the reader. Never a secret, never something that was typed into a login form. */
  detail?: Record<string, unknown>;
}

/** What a list of events can be narrowed down to. */
export interface AuditFilter {
  userId?: string;
  action?: string;
  from?: Date;
  to?: Date;
}

/** The append-only log of security events. */
@Injectable()
export class AuditLog {
  private readonly recorded: Record<AuditAction, number>;

  constructor(
    @InjectRepository(AuditEvent) private readonly events: Repository<AuditEvent>,
    metrics: Metrics,
  ) {
    this.recorded = metrics.tally({ name: 'gatehouse_audit_events_total', help: 'Events written to the audit log, by action.' }, 'action', AUDIT_ACTIONS);
  }

  /**
   * Adds an event, in the transaction of the change that it tells of when one is given: the change and its trace are
   * committed together or not at all.
   */
  async record(entry: AuditEntry, manager: EntityManager = this.events.manager): Promise<void> {
    await manager.query(
      `INSERT INTO audit_events
         (id, action, outcome, actor_type, actor_id, subject_type, subject_id, ip_address, user_agent, request_id, detail)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        uuidv7(),
        entry.action,
        entry.outcome ?? 'success',
        entry.actor?.type ?? null,
        entry.actor?.id ?? null,
        entry.subject?.type ?? null,
        entry.subject?.id ?? null,
        entry.client.ipAddress,
        entry.client.userAgent,
        entry.client.requestId,
        entry.detail ?? null,
      ],
    );
    this.recorded[entry.action] += 1;
  }

  /** Events, newest first. A user's events are those that the user did and those done to the user. */
  async find(filter: AuditFilter, page: PageQuery): Promise<Page<AuditEvent>> {
    const query = this.events.createQueryBuilder('event').orderBy('event.id', 'DESC').take(page.limit + 1);
    const after = afterId(page);
    if (after !== undefined) query.andWhere({ id: LessThan(after) });
    if (filter.userId !== undefined) {
      query.andWhere('(event.actor_id = :userId OR event.subject_id = :userId)', { userId: filter.userId });
    }
    if (filter.action !== undefined) query.andWhere('event.action = :action', { action: filter.action });
    if (filter.from !== undefined) query.andWhere('event.at >= :from', { from: filter.from });
    if (filter.to !== undefined) query.andWhere('event.at < :to', { to: filter.to });
    return pageOf(await query.getMany(), page.limit);
  }
}

/** The party that a principal is, for the log. */
export function partyOf(principal: Principal): AuditParty {
  return principal.type === 'user'
    ? { type: 'user', id: principal.userId }
    : { type: 'api-key', id: principal.apiKeyId };
}
