import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEvent, AuditFilter } from '../audit/index.js';
import type { Instance } from './instance.js';

const LOOK_EVERY_MS = 500;
/** An event has its id, which begins with the time, when it is recorded, and can be seen when that is committed. */
const LATEST_COMMIT_MS = 10_000;
const PAGE = 1_000;
export const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** Where following begins. */
export interface FollowStart {
  /** The newest event of all at that moment. */
  readonly newest: string;
  /** Those not long before it that could be seen by then: whatever else turns up there was committed later. */
  readonly seen: ReadonlySet<string>;
}

/** Where one begins to follow at this moment. */
export async function followStart(on: Instance, filter: AuditFilter): Promise<FollowStart> {
  const { items: [event] } = await on.auditLog.find({}, { limit: 1 });
  const newest = event?.id ?? BEFORE_ALL;
  const seen = new Set<string>();
  for await (const events of pagesAfter(on, filter, await earliestBeside(newest))) {
    for (const { id } of events) if (id <= newest) seen.add(id);
  }
  return { newest, seen };
}

/**
 * Prints what is committed after a start, each event once, until somebody ends the process. Time is what the events say:
 * the clocks of the servers that record them need not agree with the one here.
 */
export async function follow(
  on: Instance,
  filter: AuditFilter,
  start: FollowStart,
  print: (events: readonly AuditEvent[]) => Promise<void>,
): Promise<never> {
  let { newest } = start;
  let seen = new Set(start.seen);
  for (;;) {
    const earliest = await earliestBeside(newest);
    seen = new Set([...seen].filter((id) => id > earliest));
    for await (const events of pagesAfter(on, filter, earliest)) {
      const fresh = events.filter(({ id }) => !seen.has(id));
      if (fresh.length > 0) await print(fresh);
      for (const { id } of fresh) {
        seen.add(id);
        if (id > newest) newest = id;
      }
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** The id before which nothing turns up any more, once an event can be seen. */
async function earliestBeside(id: string): Promise<string> {
  const { lowestIdAt, timeOfId } = await import('../audit/index.js');
  return lowestIdAt(timeOfId(id).getTime() - LATEST_COMMIT_MS);
}

async function* pagesAfter(on: Instance, filter: AuditFilter, id: string): AsyncGenerator<AuditEvent[]> {
  for (let after: string | undefined = id; after !== undefined;) {
    const events: AuditEvent[] = await on.auditLog.read(filter, after, PAGE);
    yield events;
    after = events.length < PAGE ? undefined : events.at(-1)?.id;
  }
}
