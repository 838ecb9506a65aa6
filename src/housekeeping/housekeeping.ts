import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Counter } from 'prom-client';
import { DataSource } from 'typeorm';
import { LOCKS, tryLockOf } from '../database/index.js';
import { Metrics } from '../metrics/index.js';
import { type OutdatedRows, removalOf } from './outdated-rows.js';

/** Small enough that a batch is a matter of milliseconds, and that nobody waits long for a row of it. */
const BATCH = 1_000;
const PAUSE_MS = 50;
const FIRST_AFTER_MS = 2_000;
const EVERY_MS = 10 * 60_000;

/**
 * Removes rows that nobody needs any more, a few at a time, while the server does its work. Every instance tries; an
 * advisory lock lets one of them at a table at any moment, for one short transaction, so that whatever becomes of an
 * instance another one goes on. Each table has its own lock: whoever finds it taken leaves the table to one that is at
 * that very table, and never to one that is elsewhere.
 */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Housekeeping.name);
  private readonly tables: OutdatedRows[] = [];
  private readonly removed = new Map<string, number>();
  private readonly failures: Counter;
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();
  private stopping = false;
  /** The tables that the last round could not clear: told once, not every time. */
  private failing = '';

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    metrics: Metrics,
  ) {
    metrics.computed({ name: 'gatehouse_housekeeping_removed_rows_total', help: 'Outdated rows that were removed, by table.' }, 'counter', () =>
      [...this.removed].map(([table, value]) => ({ labels: { table }, value })),
    );
    this.failures = metrics.counter({ name: 'gatehouse_housekeeping_failures_total', help: 'Rounds of housekeeping in which rows could not be removed.' });
  }

  /** Has rows of a table removed from now on. */
  add(rows: OutdatedRows): void {
    this.tables.push(rows);
    this.removed.set(rows.table, 0);
  }

  onApplicationBootstrap(): void {
    this.scheduleIn(FIRST_AFTER_MS);
  }

  /** Lets the batch that is under way end: the connections close next. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    await this.round;
  }

  private scheduleIn(milliseconds: number): void {
    if (this.stopping) return;
    // Instances that were started together are not to come together for ever.
    const jittered = milliseconds * (0.75 + Math.random() / 2);
    this.timer = setTimeout(() => {
      this.round = this.tidy().finally(() => { this.scheduleIn(EVERY_MS); });
    }, jittered).unref();
  }

  private async tidy(): Promise<void> {
    const faults = new Map<string, string>();
    for (const rows of this.tables) {
      await this.clear(rows).catch((error: unknown) => faults.set(rows.table, error instanceof Error ? error.message : String(error)));
    }
    if (faults.size > 0) this.failures.inc();
    this.report(faults);
  }

  /** Removes batch after batch, until none is left or another instance is at it. */
  private async clear(rows: OutdatedRows): Promise<void> {
    const removal = removalOf(rows);
    for (let removed = BATCH; removed === BATCH && !this.stopping; ) {
      removed = await this.dataSource.transaction(async (manager) => {
        if (!(await tryLockOf(manager, LOCKS.housekeeping, rows.table))) return 0;
        const [, count] = await manager.query<[unknown, number]>(removal, [rows.keptSeconds, BATCH]);
        return count;
      });
      this.removed.set(rows.table, (this.removed.get(rows.table) ?? 0) + removed);
      // Requests come first.
      if (removed === BATCH) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  private report(faults: ReadonlyMap<string, string>): void {
    const failing = [...faults.keys()].join(', ');
    if (failing === this.failing) return;
    this.failing = failing;
    if (failing === '') this.logger.log('Outdated rows can be removed again');
    else this.logger.warn(`Outdated rows of ${failing} could not be removed: ${[...new Set(faults.values())].join('; ')}`);
  }
}
