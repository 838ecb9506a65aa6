import { setTimeout as delay } from 'node:timers/promises';
import type { Logger as Pino } from 'pino';
import type { Settings } from './config/index.js';
import { isAway } from './errors/index.js';
import { databaseName, reasonOf, StartStopped } from './start-error.js';
import { openWaitingRoom, type WaitingRoom } from './waiting-room.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** A start in its two steps; each may fail because the database is away, and can be repeated. */
export interface Start<Prepared, Started> {
  /** Reaches the database and gets it ready; nothing listens yet. */
  prepare: () => Promise<Prepared>;
  /** Starts all that listens; what it began is stopped when it fails. */
  listen: (prepared: Prepared) => Promise<Started>;
}

/**
 * Starts, and while the database is away tries again with growing pauses, for `DATABASE_WAIT_SECONDS`. Meanwhile probes
 * and callers are answered (`WaitingRoom`). Whatever does not pass by waiting fails at once.
 * @throws StartStopped when the signal says so, and the last error when the time is up
 */
export async function startWithDatabase<Prepared, Started>(
  start: Start<Prepared, Started>,
  { settings, log, signal }: { settings: Settings; log: Pino; signal: AbortSignal | undefined },
): Promise<Started> {
  const until = performance.now() + settings.databaseWaitSeconds * 1000;
  let room: WaitingRoom | null = null;
  try {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        if (signal?.aborted === true) throw new StartStopped();
        const prepared = await start.prepare();
        if (room !== null) log.info({ context: 'Database' }, `${databaseName(settings)} is there`);
        await room?.close();
        room = null;
        return await start.listen(prepared);
      } catch (error) {
        const left = until - performance.now();
        if (!isAway(error) || left <= 0) throw error;
        if (room === null) log.warn({ context: 'Database' }, `${databaseName(settings)} is away (${reasonOf(error)}); waiting for it, up to ${settings.databaseWaitSeconds} s`);
        room ??= await openWaitingRoom(settings);
        await delay(Math.min(pause, left), undefined, { signal }).catch(() => undefined);
      }
    }
  } finally {
    await room?.close();
  }
}
