import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { eventually } from './client.js';
import { makeDirectory } from './directory.js';
import { freePort } from './free-port.js';
import { describeWith } from './programs.js';

const PROGRAM = 'redis-server';

/** A Redis of a suite's own, on loopback, with nothing on disk unless the suite saves it. */
export interface TestRedis {
  readonly url: string;
  /** For looking, for faults and for moving time: suites never write what the application would write. */
  readonly client: Redis;
  /** Starts it again after `kill`, on the same port, with what was saved. */
  start(): Promise<void>;
  /** Ends it without a word. */
  kill(): Promise<void>;
  /** Stops it from doing anything, with its connections open; `false` lets it go on. */
  pause(paused: boolean): void;
  /** Ends it, and what is left of it. */
  stop(): Promise<void>;
}

/** For suites that need redis-server, and certificates for it. */
export function describeWithRedis(file: string): jest.Describe {
  return describeWith([PROGRAM, 'openssl'], 'REDIS', file);
}

/** How a Redis is started and reached. */
interface RedisOptions {
  /** What comes after the scheme and before the host, and after the port. */
  credentials?: string;
  database?: number;
  /** Its certificate, and the key to that; it is then reached by TLS alone. */
  tls?: { cert: string; key: string };
  /** On top of those for a port that nobody uses. */
  flags?: string[];
}

/** Starts a Redis. */
export async function startRedis({ credentials = '', database = 0, tls, flags = [] }: RedisOptions = {}): Promise<TestRedis> {
  const directory = makeDirectory(0o700);
  const port = String(await freePort());
  const listen = tls === undefined
    ? ['--port', port]
    : ['--port', '0', '--tls-port', port, '--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-auth-clients', 'no'];
  const url = `${tls === undefined ? 'redis' : 'rediss'}://${credentials}127.0.0.1:${port}/${String(database)}`;
  const client = new Redis(url, { lazyConnect: true, enableReadyCheck: false, retryStrategy: () => 50, ...(tls === undefined ? {} : { tls: { ca: readFileSync(tls.cert) } }) });
  client.on('error', () => undefined);
  let child: ChildProcess | null = null;

  const start = async (): Promise<void> => {
    child = spawn(PROGRAM, [...listen, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory.path, ...flags], { stdio: 'ignore' });
    process.once('exit', kill9);
    await eventually(async () => { expect(await client.ping()).toBe('PONG'); });
  };
  const kill9 = (): void => { child?.kill('SIGKILL'); };
  const kill = async (): Promise<void> => {
    if (child === null) return;
    const exited = once(child, 'exit');
    kill9();
    await exited;
    process.off('exit', kill9);
    child = null;
  };
  await start();
  return {
    url,
    client,
    start,
    kill,
    pause: (paused) => { child?.kill(paused ? 'SIGSTOP' : 'SIGCONT'); },
    stop: async () => {
      client.disconnect();
      await kill();
      directory.remove();
    },
  };
}
