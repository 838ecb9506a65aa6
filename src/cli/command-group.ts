import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Role } from '../access/index.js';
import type { Cli } from './cli.js';
import { usageError } from './command-error.js';
import { NOT_AN_ARGUMENT } from './secret-arguments.js';

/** Adds one or several commands to the program. What an action needs beyond this is imported by the action. */
export type RegisterCommands = (program: Command, cli: Cli) => void;

/** What an account may be; the list in access/ would take the framework along, for which help would have to wait. */
export const ROLES = ['owner', 'admin', 'member'] as const satisfies readonly Role[];

/** How a user is named on the command line. */
export const WHO = 'id, email address or username';

/** `--json`, for commands that print data. */
export function jsonOption(shape: string): Option {
  return new Option('--json', `Prints ${shape} as JSON, as the native API has it`);
}

/** `--data-dir`, for commands that work on the data. */
export function dataDirOption(): Option {
  return new Option('--data-dir <path>', 'Directory of the embedded database (DATA_DIR)');
}

/** Examples, at the end of a command's help. */
export function examples(...lines: string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
}

/** Reads a whole number of an option. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`It must be a whole number from ${String(least)} to ${String(most)}.`);
    return value;
  };
}

/** Reads an id of an argument. */
export function requireUuid(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw new InvalidArgumentError('It must be a UUID.');
  return text.toLowerCase();
}

/** Reads a span of time of an option, as seconds. */
export function duration(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('It must be a duration such as 30s, 15m, 24h or 7d (a plain number is seconds).');
  return Number(count) * ({ s: 1, m: 60, h: 3_600, d: 86_400 }[unit] ?? NaN);
}

/** Reads a list of an option. */
export function list(text: string): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '');
}

/** Refuses arguments beyond those that a command has, where somebody may have typed a secret there. @throws CommandError */
export function refuseMoreArguments(command: Command): void {
  const { length } = command.registeredArguments;
  if (command.args.length <= length) return;
  throw usageError(`${command.name()} takes ${String(length)} argument${length === 1 ? '' : 's'}; a secret cannot be one: ${NOT_AN_ARGUMENT}.`);
}
