import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from './cluster.js';
import type { Line } from './line.js';
import type { Random } from './random.js';
import type { Wire } from './wire.js';

/** Something that goes wrong, and is put right again by the time that `happen` returns. */
export interface Fault {
  readonly kind: string;
  /** Whether an instance may be without the database, or without a processor, because of it. */
  readonly blinding: boolean;
  happen(): Promise<void>;
}

/** What goes wrong, in lanes: one fault of each lane at a time, whatever happens in the others. */
export function faultsOf(cluster: Cluster, wire: Wire, random: Random): Fault[][] {
  return [
    instanceFaults(cluster, random.fork('instances')),
    databaseFaults(cluster, random.fork('database')),
    [...redisFaults(cluster, random.fork('redis')), ...clientFaults(wire, random.fork('clients'))],
  ];
}

function instanceFaults({ instances }: Cluster, random: Random): Fault[] {
  const killed: Fault = {
    kind: 'instance killed',
    blinding: false,
    happen: async () => {
      const instance = random.pick(instances);
      await instance.kill();
      await delay(random.between(0, 1_000));
      await instance.start();
    },
  };
  const stopped: Fault = {
    kind: 'instance stopped',
    blinding: false,
    happen: async () => {
      const instance = random.pick(instances);
      await instance.stop();
      await instance.start();
    },
  };
  const frozen: Fault = {
    kind: 'instance frozen',
    blinding: true,
    happen: async () => {
      const instance = random.pick(instances);
      instance.freeze();
      await delay(random.between(300, 3_000));
      instance.thaw();
    },
  };
  return [killed, killed, stopped, frozen];
}

function databaseFaults({ postgres, databaseLines }: Cluster, random: Random): Fault[] {
  const one = (): Line[] => [random.pick(databaseLines)];
  const faults: [string, () => Promise<void>][] = [
    ['database stopped', () => restart(() => postgres.down('stopped'), () => postgres.up(), random.between(0, 2_000))],
    ['database crashed', () => restart(() => postgres.down('crashed'), () => postgres.up(), random.between(0, 500))],
    ['database connections cut', async () => {
      for (let times = 0; times < 3; times++) {
        await postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatehouse'");
        await delay(random.between(0, 300));
      }
    }],
    ['database read-only', async () => {
      await setReadOnly(true);
      await delay(random.between(500, 1_500));
      await setReadOnly(false);
    }],
    ['lines to the database cut', () => cut(databaseLines, random.between(200, 2_000))],
    ['lines to the database frozen', () => freeze(databaseLines, random.between(500, 4_000))],
    ['one line to the database cut', () => cut(one(), random.between(500, 3_000))],
    ['one line to the database frozen', () => freeze(one(), random.between(500, 4_000))],
  ];
  return faults.map(([kind, happen]) => ({ kind, blinding: true, happen }));

  async function setReadOnly(on: boolean): Promise<void> {
    await postgres.query(`ALTER SYSTEM SET default_transaction_read_only = ${on ? 'on' : 'off'}`);
    await postgres.query('SELECT pg_reload_conf()');
  }
}

function redisFaults({ redis, redisLines }: Cluster, random: Random): Fault[] {
  if (redis === null) return [];
  const one = (): Line[] => [random.pick(redisLines)];
  const faults: [string, () => Promise<void>][] = [
    ['Redis stopped', () => restart(() => redis.down('SIGTERM'), () => redis.up(), random.between(200, 3_000))],
    ['Redis killed', () => restart(() => redis.down('SIGKILL'), () => redis.up(), random.between(0, 500))],
    ['Redis flushed', async () => {
      for (let times = 0; times < 10; times++) {
        await redis.flush();
        await delay(random.between(0, 200));
      }
    }],
    ['Redis slow', async () => {
      for (const line of redisLines) line.slowDown(random.between(20, 1_000));
      await delay(random.between(1_000, 3_000));
      await heal(redisLines);
    }],
    ['lines to Redis cut', () => cut(redisLines, random.between(200, 2_000))],
    ['lines to Redis frozen', () => freeze(redisLines, random.between(500, 3_000))],
    ['one line to Redis cut', () => cut(one(), random.between(500, 4_000))],
    ['one line to Redis frozen', () => freeze(one(), random.between(500, 4_000))],
  ];
  return faults.map(([kind, happen]) => ({ kind, blinding: false, happen }));
}

function clientFaults(wire: Wire, random: Random): Fault[] {
  return [{
    kind: 'connections of clients cut',
    blinding: false,
    happen: async () => {
      for (let times = 0; times < 5; times++) {
        wire.cutAll();
        await delay(random.between(0, 300));
      }
    },
  }];
}

async function restart(down: () => Promise<void>, up: () => Promise<void>, pauseMs: number): Promise<void> {
  await down();
  await delay(pauseMs);
  await up();
}

async function cut(lines: readonly Line[], forMs: number): Promise<void> {
  await Promise.all(lines.map((line) => line.cut()));
  await delay(forMs);
  await heal(lines);
}

async function freeze(lines: readonly Line[], forMs: number): Promise<void> {
  for (const line of lines) line.freeze();
  await delay(forMs);
  await heal(lines);
}

async function heal(lines: readonly Line[]): Promise<void> {
  await Promise.all(lines.map((line) => line.heal()));
}
