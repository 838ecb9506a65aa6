import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEvent, AuditFilter } from '../audit/index.js';
import type { Instance } from './instance.js';

const LOOK_EVERY_MS = 500;
/** An event has its id, which begins with the time, when it is recorded, and can be seen when that is committed. */
const LATEST_COMMIT_MS = 10_000;
const PAGE = 1_000;
export const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** The newest event of all at this moment. */
export async function newestEventId(on: Instance): Promise<string> {
  const { items } = await on.auditLog.find({}, { limit: 1 });
  return items[0]?.id ?? BEFORE_ALL;
}

/**
 * Prints what happens after an event, each once, until somebody ends the process. Time is what the events say: the clocks
 * of the servers that record them need not agree with the one here.
 */
export async function follow(
  on: Instance,
  filter: AuditFilter,
  start: string,
  print: (events: readonly AuditEvent[]) => Promise<void>,
): Promise<never> {
  const { lowestIdAt, timeOfId } = await import('../audit/index.js');
  let newest = start;
  let seen = new Set<string>();
  for (;;) {
    const window = lowestIdAt(timeOfId(newest).getTime() - LATEST_COMMIT_MS);
    seen = new Set([...seen].filter((id) => id > window));
    for (let after: string | undefined = window; after !== undefined;) {
      const events: AuditEvent[] = await on.auditLog.read(filter, after, PAGE);
      const fresh = events.filter(({ id }) => id > start && !seen.has(id));
      if (fresh.length > 0) await print(fresh);
      for (const { id } of fresh) {
        seen.add(id);
        if (id > newest) newest = id;
      }
      after = events.length < PAGE ? undefined : events.at(-1)?.id;
    }
    await delay(LOOK_EVERY_MS);
  }
}
