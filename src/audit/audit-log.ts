import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository, type SelectQueryBuilder } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Principal } from '../access/index.js';
import { afterCommit } from '../database/index.js';
import { afterId, type Client, type Page, pageOf, type PageQuery } from '../http/index.js';
import { Metrics } from '../metrics/index.js';
import { AUDIT_ACTIONS, type AuditAction } from './audit-actions.js';
import type { AuditDetail } from './audit-details.js';
import { AuditEvent } from './audit-event.entity.js';
import { lowestIdAt, timeOfId } from './event-ids.js';
import { type Change, eventStatement } from './event-statement.js';
import type { AuditParty, SecurityEvent } from './security-event.js';
import { SecurityEvents } from './security-events.js';
import { WebhookEndpoints } from './webhook-endpoints.js';

/** By how much `at` and the time in the id may differ in rows from when each was told by a clock of its own. */
const CLOCKS_DIFFER_MS = 10 * 60_000;

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
    await this.write(entry, null, manager);
  }

  /**
   * Makes a change and adds its event in one statement, which is a transaction by itself: one way to PostgreSQL and back
   * where there would be four. A change that found nothing to change leaves no event.
   * @returns whether it changed anything
   */
  recordChange<A extends AuditAction>(change: Change, entry: AuditEntry<A>, manager: EntityManager = this.events.manager): Promise<boolean> {
    return this.write(entry, change, manager);
  }

  /** Events, newest first. A user's events are those that the user did and those done to the user. */
  async find(filter: AuditFilter, page: PageQuery): Promise<Page<AuditEvent>> {
    return pageOf(await this.inOrder('DESC', filter, afterId(page), page.limit + 1), page.limit);
  }

  /** The same, oldest first, those after an id: for reading the whole log a piece at a time. */
  read(filter: AuditFilter, after: string, limit: number): Promise<AuditEvent[]> {
    return this.inOrder('ASC', filter, after, limit);
  }

  private inOrder(order: 'ASC' | 'DESC', filter: AuditFilter, after: string | undefined, limit: number): Promise<AuditEvent[]> {
    const page = (): SelectQueryBuilder<AuditEvent> => {
      const query = this.matching(filter).orderBy('event.id', order).limit(limit);
      return after === undefined ? query : query.andWhere(`event.id ${order === 'DESC' ? '<' : '>'} :after`, { after });
    };
    const { userId } = filter;
    if (userId === undefined) return page().getMany();
    // Each by an index of its own, in order, and no further than the page goes.
    const did = page().select('event.id').andWhere('event.actor_id = :userId', { userId });
    const suffered = page().select('event.id').andWhere('event.subject_id = :userId', { userId });
    const either = this.events
      .createQueryBuilder('event')
      .where(`event.id IN ((${did.getQuery()}) UNION (${suffered.getQuery()}))`)
      .setParameters(did.getParameters())
      .orderBy('event.id', order)
      .limit(limit);
    return either.getMany();
  }

  private async write<A extends AuditAction>(entry: AuditEntry<A>, change: Change | null, manager: EntityManager): Promise<boolean> {
    const event = eventOf(entry);
    const { text, values } = eventStatement({ ...event, detail: toldOf(entry) }, this.webhooks.for(event.action), change);
    const written = await manager.query<unknown[]>(text, [...values]);
    if (written.length === 0) return false;
    afterCommit(manager, () => {
      this.recorded[event.action] += 1;
      this.listeners.publish(event);
    });
    return true;
  }

  /** Events of a kind and a time, whoever's. The time is in the ids too, whose order is that of every index. */
  private matching({ action, outcome, actorId, subjectId, sessionId, from, to }: AuditFilter): SelectQueryBuilder<AuditEvent> {
    const query = this.events.createQueryBuilder('event');
    if (action !== undefined) query.andWhere('event.action = :action', { action });
    if (from !== undefined) {
      query.andWhere('event.at >= :from AND event.id >= :fromId', { from, fromId: lowestIdAt(from.getTime() - CLOCKS_DIFFER_MS) });
    }
    if (to !== undefined) {
      query.andWhere('event.at < :to AND event.id < :toId', { to, toId: lowestIdAt(to.getTime() + CLOCKS_DIFFER_MS) });
    }
    if (outcome !== undefined) query.andWhere('event.outcome = :outcome', { outcome });
    if (actorId !== undefined) query.andWhere('event.actor_id = :actorId', { actorId });
    if (subjectId !== undefined) query.andWhere('event.subject_id = :subjectId', { subjectId });
    if (sessionId !== undefined) query.andWhere('event.session_id = :sessionId', { sessionId });
    return query;
  }
}

function eventOf<A extends AuditAction>(entry: AuditEntry<A>): SecurityEvent<A> {
  const { action, outcome = 'success', subject = null, detail = null } = entry;
  const { ipAddress, userAgent, requestId, operator } = entry.client;
  // Nobody is signed in on the command line: whatever the services were told to act as, the operator did it.
  const actor = operator === undefined ? (entry.actor ?? null) : null;
  const id = uuidv7();
  return {
    id,
    // As the id has it, by whose order events are listed and found by their time.
    at: timeOfId(id),
    action,
    outcome,
    actor: actor === null ? null : { type: actor.type, id: actor.id },
    subject,
    sessionId: entry.sessionId ?? actor?.sessionId ?? null,
    ipAddress,
    userAgent,
    requestId,
    detail,
  };
}

/** What the log keeps of the detail, with who used the command line. */
function toldOf<A extends AuditAction>({ detail = null, client: { operator } }: AuditEntry<A>): object | null {
  return operator === undefined ? detail : { ...detail, via: 'command-line', operator };
}

/** The party that a principal is, for the log. */
export function partyOf(principal: Principal): Actor {
  return principal.type === 'user'
    ? { type: 'user', id: principal.userId, sessionId: principal.sessionId }
    : { type: 'api-key', id: principal.apiKeyId };
}
