// How long a start takes until the first request is answered, and how much memory a server needs then.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, spawnServer, stop } from './processes.mjs';
import { ourEnvironment } from './servers.mjs';

const LOOK_EVERY_MS = 2;
const LONGEST_START_MS = 60_000;

function answers(port) {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path: '/health', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

/** Megabytes of the machine's memory that a process has in use; `null` where there is no /proc. */
export function residentMegabytes(pid) {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  } catch {
    return null;
  }
}

async function start(env) {
  const port = await freePort();
  const begin = performance.now();
  const child = spawnServer('../dist/main.js', { env: { ...env, PORT: String(port) } });
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() - begin > LONGEST_START_MS) throw new Error('the server did not start');
    await delay(LOOK_EVERY_MS);
  }
  const milliseconds = performance.now() - begin;
  return { child, milliseconds };
}

/** Starts of the built server, on all cores: with its own database, which is there already, and with another one. */
export async function measureStarts({ databaseUrl, dataDir, rounds }) {
  const results = new Map([['start, embedded', []], ['start, PostgreSQL', []], ['memory, idle', []]]);
  const embedded = { DATA_DIR: dataDir, RATE_LIMIT_ENABLED: 'false' };
  await stop((await start(embedded)).child);
  for (let round = 0; round < rounds; round += 1) {
    const own = await start(embedded);
    await stop(own.child);
    results.get('start, embedded').push(own.milliseconds);
    const other = await start(ourEnvironment(databaseUrl));
    await delay(1_000);
    results.get('memory, idle').push(residentMegabytes(other.child.pid));
    await stop(other.child);
    results.get('start, PostgreSQL').push(other.milliseconds);
  }
  return results;
}

