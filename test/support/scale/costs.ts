import { readdirSync, readFileSync } from 'node:fs';
import type { House } from './house.js';
import type { ScaleDatabase } from './postgres.js';
import type { Request } from './requests.js';

/** Milliseconds of a processor, and bytes of PostgreSQL's log of changes. */
export interface Cost {
  server: number;
  postgres: number;
  wal: number;
}

/** What a request costs in two houses. */
export interface Comparison {
  readonly name: string;
  readonly few: Cost;
  readonly many: Cost;
}

/** How many rounds, and how many requests of a kind in each. */
export interface Effort {
  rounds: number;
  times: (name: string) => number;
}

/**
 * Has the same requests made of two houses, turn about, and tells the median of what one of them cost: so whatever else
 * the machine does, it does to both.
 */
export async function compare(few: House, many: House, requests: Record<string, Request>, { rounds, times }: Effort): Promise<Comparison[]> {
  const kinds = Object.entries(requests).map(([name, request]) => ({ name, request, costs: new Map<House, Cost[]>([[few, []], [many, []]]) }));
  // The first round is for compilers and caches.
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, request, costs } of kinds) {
      for (const house of round % 2 === 0 ? [few, many] : [many, few]) {
        const cost = await costOf(house, request, times(name));
        if (round >= 0) costs.get(house)?.push(cost);
      }
    }
  }
  return kinds.map(({ name, costs }) => ({ name, few: middle(costs.get(few) ?? []), many: middle(costs.get(many) ?? []) }));
}

/** What server and database spend together. */
export function total({ server, postgres }: Cost): number {
  return server + postgres;
}

/** A line of a table. */
export function tell({ name, few, many }: Comparison): string {
  const parts = [few, many].flatMap(({ server, postgres }) => [server, postgres]).map((ms) => ms.toFixed(3).padStart(9)).join('');
  return `${name.padEnd(24)}${parts}${(total(many) / total(few)).toFixed(2).padStart(7)}${String(Math.round(many.wal)).padStart(8)}\n`;
}

/** What a request costs: in the server, and in those of PostgreSQL's processes that serve it. */
async function costOf(house: House, request: Request, times: number): Promise<Cost> {
  const pid = house.gatehouse.process.pid ?? 0;
  const server = spentBy(pid) ?? NaN;
  const backends = new Map((await backendsOf(house.database)).map((backend) => [backend, spentBy(backend) ?? 0]));
  const log = await writtenBy(house.database);
  for (let i = 0; i < times; i += 1) {
    const { status, body } = await request(house, house.next());
    if (status !== 200) throw new Error(`answered ${String(status)}: ${JSON.stringify(body)}`);
  }
  const inServer = (spentBy(pid) ?? NaN) - server;
  const written = (await writtenBy(house.database)) - log;
  // A connection that was opened meanwhile had spent nothing before.
  const inBackends = (await backendsOf(house.database)).map((backend) => Math.max((spentBy(backend) ?? 0) - (backends.get(backend) ?? 0), 0));
  return { server: inServer / times, postgres: inBackends.reduce((sum, each) => sum + each, 0) / times, wal: written / times };
}

/** Bytes of the log of changes so far, of all databases. */
async function writtenBy({ pool }: ScaleDatabase): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS bytes");
  return Number(rows[0]?.bytes);
}

async function backendsOf({ name, pool }: ScaleDatabase): Promise<number[]> {
  const { rows } = await pool.query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = 'gatehouse'", [name]);
  return rows.map(({ pid }) => pid);
}

/** What a process has spent so far, unless it has ended. Linux counts by the nanosecond (Documentation/scheduler/sched-stats.rst). */
function spentBy(pid: number): number | null {
  try {
    const threads = readdirSync(`/proc/${String(pid)}/task`);
    const nanoseconds = threads.map((thread) => Number(readFileSync(`/proc/${String(pid)}/task/${thread}/schedstat`, 'utf8').split(' ')[0]));
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

function middle(costs: readonly Cost[]): Cost {
  return { server: median(costs.map(({ server }) => server)), postgres: median(costs.map(({ postgres }) => postgres)), wal: median(costs.map(({ wal }) => wal)) };
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}
