import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { link, lstat, open, rename } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { Option } from 'commander';
import type { Cli } from './cli.js';
import { CommandError } from './command-error.js';
import { EXIT } from './exit-codes.js';
import { Output } from './output.js';

/** `--output`, for commands that write more than a terminal shows. */
export function outputOption(): Option {
  return new Option('-o, --output <path>', 'Writes to a new file, which nobody else may read, in place of standard output');
}

/**
 * Has something written to standard output, or to a new file, which is there as a whole or not at all: a crash leaves no
 * half of it under its name.
 */
export async function writeExport(cli: Cli, path: string | undefined, write: (out: Output) => Promise<void>): Promise<void> {
  if (path === undefined) return write(cli.out);
  // Said before all the work, where it can be.
  if (await isThere(path)) throw inTheWay(path);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = (await open(draft, 'wx', 0o600)).createWriteStream({ flush: true });
  const remove = (): void => { rmSync(draft, { force: true }); };
  // Ctrl-C ends a command through `exit`.
  process.once('exit', remove);
  try {
    await write(new Output(file));
    await finished(file.end());
    await name(draft, path);
  } finally {
    file.destroy();
    remove();
    process.off('exit', remove);
  }
}

/** Gives a draft its name, never over something that is there. */
async function name(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    if (isTaken(error)) throw inTheWay(path);
    // A file system without links, such as a memory stick's: there the name is taken first.
    const claim = await open(path, 'wx', 0o600).catch((fault: unknown) => { throw isTaken(fault) ? inTheWay(path) : fault; });
    await claim.close();
    await rename(draft, path).catch((fault: unknown) => {
      rmSync(path, { force: true });
      throw fault;
    });
  }
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(() => true, () => false);
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EEXIST';
}

function inTheWay(path: string): CommandError {
  return new CommandError(`${path} is there already, and is not written over.`, EXIT.failure);
}
