import type { AppOptions } from './app.module.js';
import { banner } from './banner.js';
import { type Environment, helpText, parseFlags, processesOf, type Settings, VERSION } from './config/index.js';
import { endOnUncaughtErrors, fail } from './failure.js';
import { runPrimary } from './primary.js';
import { startServer } from './server.js';
import { readSettings } from './settings.js';
import { stopOnSignals } from './signals.js';
import { isWorker, runWorker } from './worker.js';

/** Where a program's settings come from, and what it adds. */
export interface Program extends Pick<AppOptions, 'imports'> {
  /** `process.env`; what a file `.env` in the working directory says is added to it. */
  env: Environment;
  /** `process.argv.slice(2)`. */
  argv?: readonly string[];
}

/**
 * Runs a server as a process of its own, or as several that share a port (`WEB_CONCURRENCY`): settings, banner, signals,
 * and faults told in words. For the main file of a product, which each of the processes executes; `startServer` is for
 * programs that look after these themselves.
 */
export async function run(program: Program): Promise<void> {
  endOnUncaughtErrors();
  try {
    if (isWorker(program.env)) {
      await runWorker(program.imports);
      return;
    }
    const settings = settingsOf(program);
    if (processesOf(settings) > 1) await runPrimary(settings);
    else await runAlone(settings, program.imports);
  } catch (error) {
    fail('Gatehouse cannot start.', error);
  }
}

/** Ends the process where there is nothing to start. */
function settingsOf({ env, argv = [] }: Program): Settings {
  const { help, version } = parseFlags(argv);
  if (help || version) {
    process.stdout.write(`${help ? helpText() : VERSION}\n`);
    process.exit(0);
  }
  return readSettings({ env, argv });
}

async function runAlone(settings: Settings, imports: Program['imports']): Promise<void> {
  const stopping = new AbortController();
  const onLost = (error: Error): never => fail('Gatehouse ends.', error);
  const started = startServer(settings, { onLost, signal: stopping.signal, ...(imports === undefined ? {} : { imports }) });
  stopOnSignals(settings.shutdownDelay, async (delaySeconds) => {
    stopping.abort();
    const server = await started.catch(() => null);
    await server?.close(delaySeconds);
  });
  const server = await started.catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  if (server !== undefined) banner(settings, server);
}
