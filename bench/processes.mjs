// Starts what is measured, each process on the core that it is to have.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

export const CORES = availableParallelism();

/** Whether processes can be kept to a core: Linux, with util-linux, and more than one of them. */
export const PINNED = CORES > 1 && process.platform === 'linux' && spawnSync('taskset', ['-V']).status === 0;

const SERVER_CORE = '0';
const OTHER_CORES = `1-${CORES - 1}`;

/** This process and all that it starts without saying otherwise (load, PostgreSQL, Redis) leave the first core alone. */
export function leaveServerCore() {
  if (PINNED) spawnSync('taskset', ['-cp', OTHER_CORES, String(process.pid)]);
}

function command(program, args, cores) {
  const list = cores === 'server' ? SERVER_CORE : `0-${CORES - 1}`;
  return PINNED ? ['taskset', ['-c', list, program, ...args]] : [program, args];
}

/** A port that nobody listens on at this moment. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The environment of a child: nothing of ours but what Node needs. */
function environment(env) {
  return { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...env };
}

/**
 * Starts a server and waits until it says where it listens.
 * @param cores 'server' for the one core that is measured, 'all' where the machine as a whole is
 */
export async function startServer(script, { env = {}, args = [], cores = 'server', nodeArgs = [] } = {}) {
  const [program, all] = command(process.execPath, [...nodeArgs, pathOf(script), ...args], cores);
  const child = spawn(program, all, { env: environment(env), stdio: ['ignore', env.ACCOUNT === undefined ? 'ignore' : 'pipe', 'pipe'] });
  let output = '';
  let told = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  const url = await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      told += chunk;
      const found = /listening at (http:\S+)/.exec(told);
      if (found) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`${script} ended (${code}):\n${told}`)));
  });
  return { pid: child.pid, url, port: Number(new URL(url).port), output: () => output, stop: () => stop(child) };
}

/** Starts our server as it is started on a machine of its own, on all cores, and does not wait. */
export function spawnServer(script, { env = {}, nodeArgs = [] } = {}) {
  const [program, all] = command(process.execPath, [...nodeArgs, pathOf(script)], 'all');
  return spawn(program, all, { env: environment(env), stdio: 'ignore' });
}

/** Runs a script to its end, and reads the JSON that it wrote. */
export async function runScript(script, args, { cores = 'server', nodeArgs = [], env = {} } = {}) {
  const [program, all] = command(process.execPath, [...nodeArgs, pathOf(script), ...args], cores);
  const child = spawn(program, all, { env: environment(env), stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return JSON.parse(output);
}

export async function stop(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
