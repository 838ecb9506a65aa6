import { existsSync, readFileSync } from 'node:fs';
import type { AppOptions } from './app.module.js';
import { type Environment, helpText, mergeEnvFile, parseFlags, type Settings, SettingsError, VERSION } from './config/index.js';
import { BootstrapError } from './bootstrap/index.js';
import { banner } from './banner.js';
import { EmbeddedPostgresError } from './database/embedded/index.js';
import { type RunningServer, startServer } from './server.js';
import { StartError, StartStopped } from './start-error.js';
import { loadSettings } from './settings.js';

/** Longer than requests that are under way get to be answered, and the database to stop. */
const LONGEST_STOP_MS = 20_000;

/** Where a program's settings come from, and what it adds. */
export interface Program extends Pick<AppOptions, 'imports'> {
  /** `process.env`; what a file `.env` in the working directory says is added to it. */
  env: Environment;
  /** `process.argv.slice(2)`. */
  argv?: readonly string[];
}

/** Ends the process where there is nothing to start. */
function readSettings({ env, argv = [] }: Program): Settings {
  const { help, version } = parseFlags(argv);
  if (help || version) {
    process.stdout.write(`${help ? helpText() : VERSION}\n`);
    process.exit(0);
  }
  const file = existsSync('.env') ? readFileSync('.env', 'utf8') : '';
  return loadSettings({ env: mergeEnvFile(file, env), argv });
}

/** What went wrong, for the operator: a sentence where we know one, the stack where we do not. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inWords = [SettingsError, StartError, BootstrapError, EmbeddedPostgresError].some((known) => error instanceof known);
  // Errors of the system, such as a file that may not be read, say what and where.
  const { syscall, stack } = error as NodeJS.ErrnoException;
  return inWords || syscall !== undefined ? error.message : (stack ?? error.message);
}

function fail(error: unknown): never {
  if (error instanceof StartStopped) process.exit(0);
  process.stderr.write(`\nGatehouse cannot start.\n\n${explain(error)}\n\n`);
  process.exit(1);
}

/**
 * An error that nothing caught leaves the process in an unknown state, so it ends. Node would print the error with all
 * its properties, among which the database driver keeps statements and their values.
 */
function endOnUncaughtErrors(): void {
  process.on('uncaughtException', (error) => {
    process.stderr.write(`\nGatehouse ends after an error that nothing caught.\n\n${error instanceof Error ? (error.stack ?? error.message) : 'not an Error'}\n\n`);
    process.exit(1);
  });
}

/**
 * Stops on SIGTERM and SIGINT. They are heard before anything is started: a signal in the middle of the start would
 * otherwise end this process at once and leave the database behind.
 */
function stopOnSignals(started: Promise<RunningServer>, starting: AbortController): void {
  let stopping = false;
  const stop = (): void => {
    // A second Ctrl-C is somebody who does not want to wait.
    if (stopping) process.exit(1);
    stopping = true;
    starting.abort();
    setTimeout(() => process.exit(1), LONGEST_STOP_MS).unref();
    started.then((server) => server.close()).then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/**
 * Runs a server as a process of its own: settings, banner, signals, and faults told in words. For the main file of a
 * product; `startServer` is for programs that look after these themselves.
 */
export async function run(program: Program): Promise<void> {
  endOnUncaughtErrors();
  try {
    const settings = readSettings(program);
    const onLost = (error: Error): void => {
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    };
    const { imports } = program;
    const starting = new AbortController();
    const started = startServer(settings, { onLost, signal: starting.signal, ...(imports === undefined ? {} : { imports }) });
    stopOnSignals(started, starting);
    banner(settings, await started);
  } catch (error) {
    fail(error);
  }
}
