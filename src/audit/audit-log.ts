import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, LessThan, Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Principal } from '../access/index.js';
import { afterCommit } from '../database/index.js';
import { afterId, type Client, type Page, pageOf, type PageQuery } from '../http/index.js';
import { Metrics } from '../metrics/index.js';
import { AUDIT_ACTIONS, type AuditAction } from './audit-actions.js';
import type { AuditDetail } from './audit-details.js';
import { AuditEvent } from './audit-event.entity.js';
import type { AuditParty } from './security-event.js';
import { SecurityEvents } from './security-events.js';
import { WebhookEndpoints } from './webhook-endpoints.js';

const INSERT = `
  INSERT INTO audit_events
    (id, action, outcome, actor_type, actor_id, subject_type, subject_id, session_id, ip_address, user_agent, request_id, detail)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id, at`;
/** What web hooks are to be told is committed together with the event. */
const INSERT_AND_TELL = `
  WITH event AS (${INSERT}),
    told AS (INSERT INTO webhook_deliveries (id, event_id, endpoint) SELECT gen_random_uuid(), event.id, endpoint FROM event, unnest($13::text[]) AS endpoint)
  SELECT at FROM event`;

/** An event to be written. */
export interface AuditEntry<A extends AuditAction = AuditAction> {
  action: A;
  outcome?: 'success' | 'failure';
  actor?: Actor | null;
  subject?: AuditParty | null;
  /** The session that it is about, where the actor does not say. */
  sessionId?: string | null;
  client: Client;
  detail?: AuditDetail<A> | null;
}

/** Who did something, and in which session. */
export interface Actor extends AuditParty {
  readonly sessionId?: string | null;
}

/** What a list of events can be narrowed down to. */
export interface AuditFilter {
  userId?: string;
  action?: string;
  outcome?: 'success' | 'failure';
  actorId?: string;
  subjectId?: string;
  sessionId?: string;
  from?: Date;
  to?: Date;
}

/** The append-only log of security events. */
@Injectable()
export class AuditLog {
  private readonly recorded: Record<AuditAction, number>;

  constructor(
    @InjectRepository(AuditEvent) private readonly events: Repository<AuditEvent>,
    private readonly listeners: SecurityEvents,
    private readonly webhooks: WebhookEndpoints,
    metrics: Metrics,
  ) {
    this.recorded = metrics.tally({ name: 'gatehouse_audit_events_total', help: 'Events written to the audit log, by action.' }, 'action', AUDIT_ACTIONS);
  }

  /**
   * Adds an event, in the transaction of the change that it tells of when one is given: the change and its trace are
   * committed together or not at all. Listeners hear of it after that.
   */
  async record<A extends AuditAction>(entry: AuditEntry<A>, manager: EntityManager = this.events.manager): Promise<void> {
    const { action, outcome = 'success', actor = null, subject = null, detail = null, client } = entry;
    const id = uuidv7();
    const sessionId = entry.sessionId ?? actor?.sessionId ?? null;
    const { ipAddress, userAgent, requestId } = client;
    const values = [
      id, action, outcome, actor?.type ?? null, actor?.id ?? null, subject?.type ?? null, subject?.id ?? null, sessionId,
      ipAddress, userAgent, requestId, detail,
    ];
    const endpoints = this.webhooks.for(action);
    const [{ at }] = endpoints.length === 0
      ? await manager.query<[{ at: Date }]>(INSERT, values)
      : await manager.query<[{ at: Date }]>(INSERT_AND_TELL, [...values, endpoints]);
    this.recorded[action] += 1;
    const event = { id, at, action, outcome, actor: partyAlone(actor), subject, sessionId, ipAddress, userAgent, requestId, detail };
    afterCommit(manager, () => { this.listeners.publish(event); });
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
    if (filter.outcome !== undefined) query.andWhere('event.outcome = :outcome', { outcome: filter.outcome });
    if (filter.actorId !== undefined) query.andWhere('event.actor_id = :actorId', { actorId: filter.actorId });
    if (filter.subjectId !== undefined) query.andWhere('event.subject_id = :subjectId', { subjectId: filter.subjectId });
    if (filter.sessionId !== undefined) query.andWhere('event.session_id = :sessionId', { sessionId: filter.sessionId });
    if (filter.from !== undefined) query.andWhere('event.at >= :from', { from: filter.from });
    if (filter.to !== undefined) query.andWhere('event.at < :to', { to: filter.to });
    return pageOf(await query.getMany(), page.limit);
  }
}

/** The party that a principal is, for the log. */
export function partyOf(principal: Principal): Actor {
  return principal.type === 'user'
    ? { type: 'user', id: principal.userId, sessionId: principal.sessionId }
    : { type: 'api-key', id: principal.apiKeyId };
}

function partyAlone(actor: Actor | null): AuditParty | null {
  return actor === null ? null : { type: actor.type, id: actor.id };
}
