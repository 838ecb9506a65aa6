import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { rawRequest } from '../support/raw-request.js';
import { WITH_OWNER } from '../support/suite.js';
import type { History } from './history.js';
import { Instance } from './instance.js';
import { Line } from './line.js';
import { Nginx } from './nginx.js';
import { Postgres } from './postgres.js';
import { Redis } from './redis.js';

/** Where the instances read from whether a credential is good; `memory` is wrong for more than one, and has to be found out. */
export type CacheMode = 'off' | 'redis' | 'memory';

const INSTANCES = ['instance 1', 'instance 2', 'instance 3'];
const LONGEST_RECOVERY_MS = 30_000;

/** Three instances behind nginx, with a PostgreSQL and a Redis, each instance with lines of its own to both. */
export interface Cluster {
  readonly instances: readonly Instance[];
  readonly proxyPort: number;
  readonly postgres: Postgres;
  readonly redis: Redis | null;
  /** From each instance to PostgreSQL. */
  readonly databaseLines: readonly Line[];
  /** From each instance to Redis; none where there is none. */
  readonly redisLines: readonly Line[];
}

/** Starts all of it, has something done with it, and stops it again, however far it came. */
export async function withCluster<T>(mode: CacheMode, nginxProgram: string, history: History, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const postgres = await Postgres.start();
    stops.push(() => postgres.stop());
    const redis = mode === 'redis' ? await Redis.start() : null;
    stops.push(async () => redis?.stop());
    const databaseLines = await Promise.all(INSTANCES.map(() => Line.open(postgres.address)));
    const redisLines = redis === null ? [] : await Promise.all(INSTANCES.map(() => Line.open(redis.address)));
    stops.push(() => Promise.all([...databaseLines, ...redisLines].map((line) => line.cut())));
    const [proxyPort = 0, ...ports] = await freePorts(1 + INSTANCES.length);
    const instances = INSTANCES.map((name, index) => {
      const redisLine = redisLines[index];
      return new Instance(name, ports[index]!, {
        ...WITH_OWNER,
        PRINCIPAL_CACHE: mode,
        DATABASE_URL: postgres.urlAt(databaseLines[index]!.port),
        ...(redisLine === undefined ? {} : { REDIS_URL: `redis://127.0.0.1:${String(redisLine.port)}` }),
        DATABASE_POOL_SIZE: '8',
        TRUST_PROXY: '127.0.0.1',
        LOG_LEVEL: 'warn',
        LOG_FORMAT: 'json',
      }, history);
    });
    stops.push(() => Promise.all(instances.map((instance) => instance.kill())));
    await Promise.all(instances.map((instance) => instance.start()));
    const nginx = await Nginx.start(nginxProgram, proxyPort, ports);
    stops.push(() => nginx.stop());
    return await work({ instances, proxyPort, postgres, redis, databaseLines, redisLines });
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** Waits until every instance says that it is ready, by itself. @returns after how long; `null` if one does not say so */
export async function untilReady({ instances }: Cluster): Promise<number | null> {
  const begun = performance.now();
  while (performance.now() < begun + LONGEST_RECOVERY_MS) {
    const ready = await Promise.all(instances.map(({ port }) => Promise.race([isReady(port), delay(3_000, false)])));
    if (ready.every(Boolean)) return performance.now() - begun;
    await delay(50);
  }
  return null;
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await rawRequest(`GET http://127.0.0.1:${String(port)}/health/ready`)).status === 200;
  } catch {
    return false;
  }
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => { server.close(); return once(server, 'close'); }));
  return ports;
}
