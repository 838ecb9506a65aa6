import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const START_TIMEOUT_MS = 60_000;

/** A secret that is none: long enough, and random. */
export const TEST_JWT_SECRET = 'tJ8r2Vq0ZpWc5nXk7Hs1Ly4Bd9Gf3Ma6Ue0Ri2Ov5Tw8Qx1Cz';

/** Settings under which a suite is quick and is not held up by the limit that is tested elsewhere. */
const QUICK = { BCRYPT_COST: '10', RATE_LIMIT_ENABLED: 'false', PORT: '0', NODE_ENV: 'test', JWT_SECRET: TEST_JWT_SECRET };

/** A Gatehouse process that was started for a test. */
export interface Gatehouse {
  readonly url: string;
  /** The path of the native API. */
  readonly api: string;
  readonly process: ChildProcess;
  /** The claim token that it printed, if it has no owner. */
  readonly claimToken: string | null;
  /** Everything that it has written to standard output and standard error so far. */
  output(): string;
  /** Stops it as an operator would, and waits until it is gone. Resolves to the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** How to start a process: variables on top of the quick ones (`undefined` removes one), flags, another program. */
export interface GatehouseOptions {
  env?: Record<string, string | undefined>;
  argv?: string[];
  /** What to run instead of the built server. */
  program?: string[];
  uid?: number;
  cwd?: string;
}

/** The environment of a process: nothing of the test runner's own but what Node needs. */
export function environment(env: Record<string, string | undefined>): NodeJS.ProcessEnv {
  const merged: Record<string, string | undefined> = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...QUICK, ...env };
  return Object.fromEntries(Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** A start that may take its time. */
export interface Start {
  readonly listening: Promise<Gatehouse>;
  output(): string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts the built server as a process of its own, and waits until it listens. Rejects with its output if it exits. */
export function startGatehouse(options: GatehouseOptions = {}): Promise<Gatehouse> {
  return launchGatehouse(options).listening;
}

/** The same, for tests that look at what happens until then. */
export function launchGatehouse(options: GatehouseOptions): Start {
  const { child, output } = launch(options);
  return { listening: listening(child, output), output, stop: (signal = 'SIGTERM') => stop(child, signal) };
}

async function listening(child: ChildProcess, output: () => string): Promise<Gatehouse> {
  const url = await untilListening(child, output);
  const claim = /"token":"([\w-]+)"/.exec(output());
  return {
    url,
    api: `${url}${/ {2}API {6}http:\/\/[^/]+(\S*)/.exec(output())?.[1] ?? '/api/v1'}`,
    process: child,
    claimToken: claim?.[1] ?? null,
    output,
    stop: (signal = 'SIGTERM') => stop(child, signal),
  };
}

/** Runs the built server where it is expected to end by itself. */
export async function runGatehouse(options: GatehouseOptions): Promise<{ code: number | null; output: string }> {
  const { child, output } = launch(options);
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  if (child.exitCode === null) await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, output: output() };
}

/** Starts the built server and waits for nothing. */
export function launch(options: GatehouseOptions): { child: ChildProcess; output: () => string } {
  const program = options.program ?? [join(ROOT, 'dist', 'main.js')];
  const child = spawn(process.execPath, [...program, ...(options.argv ?? [])], {
    env: environment(options.env ?? {}),
    cwd: options.cwd ?? ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text };
}

function untilListening(child: ChildProcess, output: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { child.kill('SIGKILL'); reject(new Error(`did not start in time:\n${output()}`)); }, START_TIMEOUT_MS);
    const look = (): void => {
      // The banner is written at once, and ends with an empty line.
      const url = /Gatehouse is listening at (\S+)\n[\s\S]*\n\n/.exec(output())?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', (code) => { clearTimeout(timer); reject(new Error(`exited with ${String(code)}:\n${output()}`)); });
  });
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
  return child.exitCode;
}
