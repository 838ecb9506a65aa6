import { EXIT, type ExitCode } from './exit-codes.js';

/** A command cannot do what it was asked for: a sentence for whoever typed it, and a code for scripts. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT.failure,
  ) {
    super(message);
  }
}

/** The command was given wrongly. */
export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}

/** What was named is not there. */
export function notFound(what: string): CommandError {
  return new CommandError(`There is no ${what}.`, EXIT.notFound);
}

/** It conflicts with what is there. */
export function conflict(message: string): CommandError {
  return new CommandError(message, EXIT.conflict);
}
