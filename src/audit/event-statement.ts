import type { SecurityEvent } from './security-event.js';

/** A change, as SQL that says with RETURNING whether there was anything to change. */
export interface Change {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** An event with the detail that the log keeps of it. */
type EventRow = Omit<SecurityEvent, 'detail'> & { readonly detail: object | null };

/**
 * The one statement that writes an event, together with what web hooks are to be told of it. It returns a row for each
 * row that it wrote last.
 * @param change what the event tells of, if it is to be made by the same statement: an event is written only if that
 *   changed anything
 */
export function eventStatement(event: EventRow, endpoints: readonly string[], change: Change | null): Change {
  const row = rowOf(event);
  const changed = change?.values ?? [];
  const parameters = row.map((_, index) => `$${String(changed.length + index + 1)}`).join(', ');
  const insert = `INSERT INTO audit_events
      (id, at, action, outcome, actor_type, actor_id, subject_type, subject_id, session_id, ip_address, user_agent, request_id, detail)
    SELECT ${parameters} ${change === null ? '' : 'WHERE EXISTS (SELECT FROM change)'} RETURNING id`;
  const values = [...changed, ...row];
  const first = change === null ? '' : `WITH change AS (${change.text})`;
  if (endpoints.length === 0) return { text: change === null ? insert : `${first} ${insert}`, values };
  return {
    text: `${change === null ? 'WITH' : `${first},`} event AS (${insert})
      INSERT INTO webhook_deliveries (id, event_id, endpoint)
      SELECT gen_random_uuid(), event.id, endpoint FROM event, unnest($${String(values.length + 1)}::text[]) AS endpoint RETURNING id`,
    values: [...values, endpoints],
  };
}

/** The values of an event's row, in the order of its columns. */
function rowOf({ id, at, action, outcome, actor, subject, sessionId, ipAddress, userAgent, requestId, detail }: EventRow): unknown[] {
  const who = [actor?.type ?? null, actor?.id ?? null, subject?.type ?? null, subject?.id ?? null];
  return [id, at, action, outcome, ...who, sessionId, ipAddress, userAgent, requestId, detail];
}
