import type { DataSource } from 'typeorm';
import { RepeatedFault } from './repeated-fault.js';

/** A row's time of last use is written at most this often. */
const WRITE_EVERY_MS = 60_000;
/** Uses are gathered and written together. */
const FLUSH_EVERY_MS = 5_000;
/** Rows that one statement writes: few enough that it never takes long, nor reads the table as a whole. */
const BATCH = 1_000;
/** Rows seen in the last minute; beyond this the map is emptied, and some rows are written once more. */
const MOST_REMEMBERED = 100_000;

/**
 * Writes `last_used_at` behind the requests' back: `touch` costs a look into a map, the statement comes later and
 * serves many rows. A crash loses some seconds of it, and a database that cannot be written to as long as that lasts:
 * nobody relies on it, and no request fails for it.
 */
export class LastUseRecorder {
  private readonly written = new Map<string, number>();
  private pending = new Set<string>();
  private readonly timer: NodeJS.Timeout;
  private readonly fault: RepeatedFault;

  constructor(
    private readonly dataSource: DataSource,
    private readonly table: 'sessions' | 'api_keys',
    failed: (error: unknown) => void,
  ) {
    this.fault = new RepeatedFault(failed);
    this.timer = setInterval(() => void this.flush(), FLUSH_EVERY_MS).unref();
  }

  /** Notes that a row was used now. */
  touch(id: string): void {
    const now = Date.now();
    if (now - (this.written.get(id) ?? 0) < WRITE_EVERY_MS) return;
    if (this.written.size >= MOST_REMEMBERED) this.written.clear();
    this.written.set(id, now);
    this.pending.add(id);
  }

  /** Writes what is pending and stops. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private async flush(): Promise<void> {
    if (this.pending.size === 0) return;
    const ids = [...this.pending];
    this.pending = new Set();
    for (let from = 0; from < ids.length; from += BATCH) await this.write(ids.slice(from, from + BATCH));
  }

  private async write(ids: string[]): Promise<void> {
    try {
      // SKIP LOCKED: a row that somebody is changing right now does not need this enough to wait for it.
      await this.dataSource.query(
        `UPDATE ${this.table} SET last_used_at = now() WHERE id IN
           (SELECT id FROM ${this.table} WHERE id = ANY($1::uuid[]) FOR UPDATE SKIP LOCKED)`,
        [ids],
      );
    } catch (error) {
      this.fault.occurred(error);
    }
  }
}
