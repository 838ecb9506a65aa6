import { open, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { Option } from 'commander';
import type { Cli } from './cli.js';
import { Output } from './output.js';

/** `--output`, for commands that write more than a terminal shows. */
export function outputOption(): Option {
  return new Option('-o, --output <path>', 'Writes to a new file, which nobody else may read, in place of standard output');
}

/** Has something written to standard output, or to a new file, which is there as a whole or not at all. */
export async function writeExport(cli: Cli, path: string | undefined, write: (out: Output) => Promise<void>): Promise<void> {
  if (path === undefined) return write(cli.out);
  // Never over something that is there; and for nobody else to read.
  const file = (await open(path, 'wx', 0o600)).createWriteStream();
  try {
    await write(new Output(file));
    await finished(file.end());
  } catch (error) {
    file.destroy();
    await rm(path, { force: true });
    throw error;
  }
}
