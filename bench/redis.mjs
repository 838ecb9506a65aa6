// A Redis of the bench's own, where one is installed: on a free port, with nothing kept on disk.
import { spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, stop } from './processes.mjs';

const LONGEST_START_MS = 10_000;

function reachable(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

/** Starts Redis; `null` where there is none. */
export async function startRedis() {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  if (status !== 0) return null;
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
  for (const end = Date.now() + LONGEST_START_MS; !(await reachable(port)); ) {
    if (child.exitCode !== null || Date.now() > end) throw new Error('redis-server did not start');
    await delay(20);
  }
  return { url: `redis://127.0.0.1:${port}`, version: /v=(\S+)/.exec(stdout)?.[1] ?? 'unknown', stop: () => stop(child) };
}
