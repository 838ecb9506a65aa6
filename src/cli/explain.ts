import { CommanderError } from 'commander';
import { AuthError } from '../errors/index.js';
import { CommandError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { PipeClosed } from './output.js';
import { refusal } from './refusals.js';

/** How a command ends. */
export interface Ending {
  exitCode: ExitCode;
  /** For standard error; `null` where all is said. */
  message: string | null;
}

/** Errors whose messages are for people, by name: their classes are loaded only where they are thrown. */
const IN_WORDS: Partial<Record<string, ExitCode>> = {
  SettingsError: EXIT.usage,
  EmbeddedPostgresError: EXIT.unavailable,
  DataDirInUseError: EXIT.unavailable,
  StartError: EXIT.unavailable,
  MemoryHeldError: EXIT.unavailable,
  TransferError: EXIT.failure,
};

/** What to say of an error, and the code to end with. A fault of the program comes with its stack; nothing else does. */
export async function explain(error: unknown): Promise<Ending> {
  if (error instanceof PipeClosed) return { exitCode: EXIT.ok, message: null };
  // Commander has said it already.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage, message: null };
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof AuthError) return explain(refusal(error));
  if (!(error instanceof Error)) return { exitCode: EXIT.failure, message: String(error) };
  const known = IN_WORDS[error.name];
  if (known !== undefined) return { exitCode: known, message: error.message };
  // Only now: a wrong option should not wait for half of the server to be loaded.
  const { toAuthError } = await import('../http/index.js');
  const refused = toAuthError(error);
  if (refused !== null && refused.code !== 'internal') return explain(refused);
  const { syscall } = error as NodeJS.ErrnoException;
  return { exitCode: EXIT.failure, message: syscall === undefined ? (error.stack ?? error.message) : `${error.message}.` };
}
