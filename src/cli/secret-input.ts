import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ReadStream } from 'node:tty';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Cli, DataOptions } from './cli.js';
import { usageError } from './command-error.js';
import { askHidden } from './hidden-prompt.js';

/** More than any password or key. */
const LONGEST_INPUT = 64 * 1024;
/** Without those that look alike. */
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
/** 5.8 bits each, which makes 139 of them. */
const GENERATED_CHARACTERS = 24;

/** Where a password comes from. */
export interface PasswordOptions {
  stdin?: true;
  passwordFile?: string;
  generate?: true;
}

/** A password, and whether it was made here, so that somebody has to be told. */
export interface GivenPassword {
  password: string;
  generated: boolean;
}

/** Adds the ways of giving a password to a command. */
export function passwordOptions(command: Command): Command {
  return command
    .addOption(new Option('--stdin', 'Reads the password from standard input').conflicts(['passwordFile', 'generate']))
    .addOption(new Option('--password-file <path>', 'Reads the password from a file').conflicts(['generate']))
    .addOption(new Option('--generate', 'Makes a password and shows it once'));
}

/**
 * A new password: from standard input, from a file, generated, or asked for twice without echo. To be read before the
 * database is opened: while somebody thinks about a password, the server may want to start.
 * @throws CommandError where there is nobody to ask; SettingsError
 */
export async function readPassword(cli: Cli, options: DataOptions & PasswordOptions): Promise<GivenPassword> {
  if (options.generate) {
    const { passwordMinLength } = await cli.settings(options);
    return { password: generatePassword(Math.max(GENERATED_CHARACTERS, passwordMinLength)), generated: true };
  }
  if (options.stdin) return { password: await readStdin(cli.stdin), generated: false };
  if (options.passwordFile !== undefined) return { password: await readSecretFile(options.passwordFile), generated: false };
  requireTerminal(cli.stdin, '--stdin, --password-file <path> or --generate');
  const [password, again] = await askHidden(cli.stdin, ['New password: ', 'The same again: ']);
  if (password !== again) throw usageError('The two are not the same. Nothing was changed.');
  return { password, generated: false };
}

/** A key that somebody has: from standard input, from a file, or asked for without echo. @throws CommandError */
export async function readKey(cli: Cli, options: { stdin?: true; file?: string }): Promise<string> {
  if (options.stdin) return readStdin(cli.stdin);
  if (options.file !== undefined) return readSecretFile(options.file);
  requireTerminal(cli.stdin, '--hash <sha256>, --stdin or --file <path>');
  const [key] = await askHidden(cli.stdin, ['API key: ']);
  return key;
}

/** Where a connection string comes from. */
export interface UrlOptions {
  to?: string;
  toFile?: string;
  stdin?: true;
}

/**
 * A connection string, which has a password in it as a rule: from standard input, from a file, or asked for without echo.
 * As an argument it may have none.
 * @throws CommandError
 */
export async function readUrl(cli: Cli, { to, toFile, stdin }: UrlOptions): Promise<string> {
  if (to !== undefined) {
    if (!/^[^:]+:\/\/[^@]*:[^@]*@|[?&]password=/i.test(to)) return to;
    throw usageError(
      'A URL with a password cannot be an argument: everybody on this machine can read arguments (ps), and the shell keeps them. '
        + 'Leave it out to be asked for it, or give it with --stdin or --to-file <path>; or leave out the password alone, and give it in PGPASSWORD or ~/.pgpass. '
        + 'If it was the real one, take another now.',
    );
  }
  if (stdin) return readStdin(cli.stdin);
  if (toFile !== undefined) return readSecretFile(toFile);
  requireTerminal(cli.stdin, '--to <url> without a password, --to-file <path> or --stdin');
  const [url] = await askHidden(cli.stdin, ['URL of the database to move to: ']);
  return url;
}

function requireTerminal(stdin: ReadStream, instead: string): void {
  if (!stdin.isTTY) throw usageError(`Nobody can be asked here, where there is no terminal: give ${instead}.`);
}

async function readStdin(stdin: ReadStream): Promise<string> {
  if (stdin.isTTY) throw usageError('--stdin reads from a pipe; at a terminal leave it out, and you are asked without echo.');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > LONGEST_INPUT) throw usageError('Standard input is too long to be a secret.');
  }
  return secretIn(Buffer.concat(chunks), 'Standard input');
}

async function readSecretFile(path: string): Promise<string> {
  const content = await readFile(path).catch((error: unknown) => {
    // Never the path: somebody may have put the secret itself there.
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw usageError(`The file with the secret cannot be read (${code}).`);
  });
  return secretIn(content, 'The file');
}

/** One line break at the end is the editor's, as with the files of `…_FILE`. */
function secretIn(content: Buffer, source: string): string {
  if (content.length > LONGEST_INPUT) throw usageError(`${source} is too long to be a secret.`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content).replace(/\r?\n$/, '');
  } catch {
    throw usageError(`${source} is not UTF-8 text.`);
  }
  if (text === '') throw usageError(`${source} is empty.`);
  return text;
}

function generatePassword(characters: number): string {
  return Array.from({ length: characters }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}
