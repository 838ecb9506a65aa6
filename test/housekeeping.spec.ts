import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../src/database/index.js';
import { Housekeeping } from '../src/housekeeping/index.js';
import { Metrics } from '../src/metrics/index.js';
import { createDatabase, type TestDatabase } from './support/database.js';

/** The longest that a round may be put off. */
const ROUND_MS = 12.5 * 60_000;

describe('housekeeping goes on', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let housekeeping: Housekeeping;
  const metrics = new Metrics();
  const told: string[] = [];

  beforeAll(async () => {
    database = await createDatabase('empty');
    await database.pool.query("CREATE TABLE good (id integer PRIMARY KEY, at timestamptz); INSERT INTO good VALUES (1, now() - interval '1 minute')");
    dataSource = await new DataSource(dataSourceOptions({ url: database.url }, 2)).initialize();
    Logger.overrideLogger({ log: (text: string) => told.push(text), warn: (text: string) => told.push(text), error: (text: string) => told.push(text) });
    jest.useFakeTimers({ now: Date.now(), doNotFake: ['setImmediate', 'nextTick', 'performance', 'queueMicrotask', 'hrtime'] });
    housekeeping = new Housekeeping(dataSource, metrics);
    housekeeping.add({ table: 'missing', key: 'id', since: 'at', keptSeconds: 1 });
    housekeeping.add({ table: 'good', key: 'id', since: 'at', keptSeconds: 1 });
  });
  afterAll(async () => {
    await housekeeping.beforeApplicationShutdown();
    jest.useRealTimers();
    await dataSource.destroy();
    await database.drop();
  });

  const numberOf = async (name: string): Promise<number> => {
    const text = await metrics.registry.getSingleMetricAsString(name);
    return [...text.matchAll(/^[^#]\S* (\d+)$/gm)].reduce((sum, [, value]) => sum + Number(value), 0);
  };
  /** Lets a round begin, and waits until it has come so far. */
  const until = async (reached: () => Promise<boolean> | boolean): Promise<void> => {
    jest.advanceTimersByTime(ROUND_MS);
    while (!(await reached())) await new Promise(setImmediate);
    // What follows in the same round.
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  };
  const failures = () => numberOf('gatehouse_housekeeping_failures_total');

  it('does what it can, and says once what it cannot do', async () => {
    housekeeping.onApplicationBootstrap();
    await until(async () => (await failures()) === 1);
    await until(async () => (await failures()) === 2);
    expect(told).toEqual(['Outdated rows of missing could not be removed: relation "missing" does not exist']);
    expect(await numberOf('gatehouse_housekeeping_removed_rows_total')).toBe(1);
  });

  it('says when it works again', async () => {
    await database.pool.query("CREATE TABLE missing (id integer PRIMARY KEY, at timestamptz); INSERT INTO missing VALUES (1, now() - interval '1 minute')");
    await until(() => told.length === 2);
    expect(told[1]).toBe('Outdated rows can be removed again');
    expect([await failures(), await numberOf('gatehouse_housekeeping_removed_rows_total')]).toEqual([2, 2]);
  });

  it('waits some minutes between two rounds', async () => {
    await database.pool.query("INSERT INTO good VALUES (2, now() - interval '1 minute')");
    jest.advanceTimersByTime(7 * 60_000);
    for (let turn = 0; turn < 1_000; turn += 1) await new Promise(setImmediate);
    expect((await database.pool.query('SELECT FROM good')).rowCount).toBe(1);
  });
});
