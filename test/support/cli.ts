import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Json } from './client.js';
import { environment } from './gatehouse.js';

const PROGRAM = join(__dirname, '..', '..', 'dist', 'cli.js');
const TIMEOUT_MS = 60_000;

/** How a command ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Where a command is run. */
export interface CliOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** What it reads on standard input; nothing at all where it is left out, and with `null` whatever the test writes. */
  input?: string | null;
  /** Lines to be typed at a terminal, each once the question before it is there. */
  typed?: readonly (readonly [question: string, answer: string])[];
}

/** Runs `gatehouse` as a process of its own, to its end. */
export async function gatehouse(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  const { child, output } = launchCli(args, options);
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, ...output() };
}

/** Runs it, expects it to succeed, and reads what it printed as JSON. */
export async function gatehouseJson(args: readonly string[], options: CliOptions = {}): Promise<Json> {
  const { code, stdout, stderr } = await gatehouse([...args, '--json'], options);
  if (code !== 0) throw new Error(`gatehouse ${args.join(' ')} ended with ${String(code)}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Starts it, where the test acts before it has ended. */
export function launchCli(args: readonly string[], { env = {}, cwd, input, typed }: CliOptions = {}): { child: ChildProcess; output: () => Omit<Ended, 'code'> } {
  const command = [process.execPath, PROGRAM, ...args];
  // util-linux: runs a command at a terminal of its own. What the terminal shows comes on standard output.
  const [program = '', ...rest] = typed === undefined ? command : ['script', '-qec', command.map(quoted).join(' '), '/dev/null'];
  const child = spawn(program, rest, {
    env: { LOG_LEVEL: 'silent', ...environment(env) },
    stdio: [input === undefined && typed === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let stdout = '';
  let stderr = '';
  const waiting = [...(typed ?? [])];
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    const [next] = waiting;
    if (next === undefined || !stdout.includes(next[0])) return;
    waiting.shift();
    child.stdin?.write(next[1]);
  });
  child.stderr?.on('data', (chunk: Buffer) => { stderr += chunk.toString(); });
  if (typeof input === 'string') child.stdin?.end(input);
  return { child, output: () => ({ stdout, stderr }) };
}

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}
