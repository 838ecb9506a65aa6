import { BootstrapError } from './bootstrap/index.js';
import { SettingsError } from './config/index.js';
import { EmbeddedPostgresError } from './database/embedded/index.js';
import { StartError } from './start-error.js';

/** What went wrong, for the operator: a sentence where we know one, the stack where we do not. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inWords = [SettingsError, StartError, BootstrapError, EmbeddedPostgresError].some((known) => error instanceof known);
  // Errors of the system, such as a file that may not be read, say what and where.
  const { syscall, stack } = error as NodeJS.ErrnoException;
  return inWords || syscall !== undefined ? error.message : (stack ?? error.message);
}

/** Ends the process and says why. */
export function fail(what: string, error: unknown): never {
  process.stderr.write(`\n${what}\n\n${explain(error)}\n\n`);
  process.exit(1);
}

/**
 * An error that nothing caught leaves the process in an unknown state, so it ends. Node would print the error with all
 * its properties, among which the database driver keeps statements and their values.
 */
export function endOnUncaughtErrors(): void {
  process.on('uncaughtException', (error) => {
    process.stderr.write(`\nGatehouse ends after an error that nothing caught.\n\n${error instanceof Error ? (error.stack ?? error.message) : 'not an Error'}\n\n`);
    process.exit(1);
  });
}
