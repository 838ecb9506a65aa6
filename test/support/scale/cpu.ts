import { readdirSync, readFileSync } from 'node:fs';
import type { House } from './house.js';
import type { ScaleDatabase } from './postgres.js';
import type { Request } from './requests.js';

/** Milliseconds of a processor. */
export interface Cpu {
  server: number;
  postgres: number;
}

/** What a request costs in two houses. */
export interface Comparison {
  readonly name: string;
  readonly few: Cpu;
  readonly many: Cpu;
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
  const kinds = Object.entries(requests).map(([name, request]) => ({ name, request, costs: new Map<House, Cpu[]>([[few, []], [many, []]]) }));
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

/** Server and database together. */
export function total({ server, postgres }: Cpu): number {
  return server + postgres;
}

/** A line of a table. */
export function tell({ name, few, many }: Comparison): string {
  const parts = [few, many].flatMap(({ server, postgres }) => [server, postgres]).map((ms) => ms.toFixed(3).padStart(9)).join('');
  return `${name.padEnd(24)}${parts}${(total(many) / total(few)).toFixed(2).padStart(7)}\n`;
}

/** What a request costs: in the server, and in those of PostgreSQL's processes that serve it. */
async function costOf(house: House, request: Request, times: number): Promise<Cpu> {
  const pid = house.gatehouse.process.pid ?? 0;
  const server = spentBy(pid);
  const backends = new Map((await backendsOf(house.database)).map((backend) => [backend, spentBy(backend)]));
  for (let i = 0; i < times; i += 1) {
    const { status, body } = await request(house, house.next());
    if (status !== 200) throw new Error(`answered ${String(status)}: ${JSON.stringify(body)}`);
  }
  const inServer = spentBy(pid) - server;
  // A connection that was opened meanwhile had spent nothing before.
  const inBackends = (await backendsOf(house.database)).map((backend) => spentBy(backend) - (backends.get(backend) ?? 0));
  return { server: inServer / times, postgres: inBackends.reduce((sum, each) => sum + each, 0) / times };
}

async function backendsOf({ name, pool }: ScaleDatabase): Promise<number[]> {
  const { rows } = await pool.query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = 'gatehouse'", [name]);
  return rows.map(({ pid }) => pid);
}

/** What a process has spent so far. Linux counts by the nanosecond (Documentation/scheduler/sched-stats.rst). */
function spentBy(pid: number): number {
  const threads = readdirSync(`/proc/${String(pid)}/task`);
  const nanoseconds = threads.map((thread) => Number(readFileSync(`/proc/${String(pid)}/task/${thread}/schedstat`, 'utf8').split(' ')[0]));
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

function middle(costs: readonly Cpu[]): Cpu {
  return { server: median(costs.map(({ server }) => server)), postgres: median(costs.map(({ postgres }) => postgres)) };
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}
