import { open } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Role } from '../../access/index.js';
import type { Format, ImportOptions, ImportOutcome, ImportReport, UserSourceName } from '../../transfer/index.js';
import type { Cli, DataOptions } from '../cli.js';
import { CommandError, usageError } from '../command-error.js';
import { dataDirOption, examples, type RegisterCommands, ROLES } from '../command-group.js';
import { ImportPrinter } from '../import-printer.js';

const SOURCES = ['generic', 'mosbot', 'os-trading-engine', 'osmedeus', 'asyncat', 'chatops'] as const satisfies readonly UserSourceName[];
const FORMATS = ['csv', 'jsonl'] as const satisfies readonly Format[];

interface FileOptions extends DataOptions {
  format?: Format;
  dryRun?: true;
  skipInvalid?: true;
  json?: true;
}

interface UserFileOptions extends FileOptions {
  from: UserSourceName;
  role: Role;
  allowOwners?: true;
}

/** `gatehouse import …`: what another system had. */
export const importCommands: RegisterCommands = (program, cli) => {
  const group = program.command('import').description('Moves in what another system had: accounts with the hashes of their passwords, keys by their hashes');
  importUsers(group, cli);
  importKeys(group, cli);
};

function importUsers(group: Command, cli: Cli): void {
  fileOptions(group.command('users').summary('Imports accounts from a CSV file or JSON lines'))
    .description(`Imports accounts, with the hashes of their passwords, from a CSV file or JSON lines: all of them, or none. It \
only adds: an account that is there already stays as it is, and a second time nothing changes.`)
    .addOption(new Option('--from <product>', 'Whose table of accounts it is').choices(SOURCES).default('generic'))
    .addOption(new Option('--role <role>', 'What those are whose role the file does not say').choices(ROLES).default('member'))
    .option('--allow-owners', 'Lets the file make owners, who may do everything')
    .addHelpText('after', examples(
      'gatehouse import users users.csv --from chatops --dry-run',
      'gatehouse import users users.csv --from mosbot --allow-owners',
      'psql "$OLD" -c "\\copy (SELECT * FROM users) TO STDOUT CSV HEADER" | gatehouse import users - --from mosbot'))
    .action((path: string, options: UserFileOptions) => {
      const { from: source, role: defaultRole, allowOwners = false } = options;
      if (defaultRole === 'owner' && !allowOwners) throw usageError('--role owner takes --allow-owners.');
      return importFile(cli, path, options, 'account', async (input, how, printer) =>
        cli.withInstance(options, async (on) => {
          const { UserImport } = await import('../../transfer/index.js');
          return on.get(UserImport).run(input, { ...how, source, defaultRole, allowOwners }, on.client, printer);
        }),
      );
    });
}

function importKeys(group: Command, cli: Cli): void {
  fileOptions(group.command('keys').summary('Imports API keys by their SHA-256 from a CSV file or JSON lines'))
    .description(`Imports API keys by their SHA-256 from a CSV file or JSON lines: all of them, or none. Whoever has such a key \
goes on using it. Their owners have to be there (gatehouse import users). A second time nothing changes.`)
    .option('--allow-instance-keys', "Takes keys without an owner, which are the instance's own")
    .addHelpText('after', examples(
      'gatehouse import keys keys.csv --dry-run',
      'gatehouse import keys keys.jsonl --allow-instance-keys'))
    .action((path: string, options: FileOptions & { allowInstanceKeys?: true }) =>
      importFile(cli, path, options, 'key', async (input, how, printer) =>
        cli.withInstance(options, async (on) => {
          const { KeyImport } = await import('../../transfer/index.js');
          return on.get(KeyImport).run(input, { ...how, allowInstanceKeys: options.allowInstanceKeys ?? false }, on.client, printer);
        }),
      ),
    );
}

function fileOptions(command: Command): Command {
  return command
    .argument('<file>', 'the file, or - for standard input')
    .addOption(new Option('--format <format>', 'What kind of file it is; told by how it begins').choices(FORMATS))
    .addOption(new Option('--dry-run', 'Says what would be refused, and why, and writes nothing'))
    .addOption(new Option('--skip-invalid', 'Leaves out what is refused, in place of everything'))
    .addOption(dataDirOption())
    .addOption(new Option('--json', 'Prints JSON lines: a refusal each ({"line", "field", "reason"}), at the end the figures'));
}

type RunImport = (input: AsyncIterable<Buffer>, how: ImportOptions & { format: Format | null }, report: ImportReport) => Promise<ImportOutcome>;

/** @throws CommandError when something was refused, and therefore nothing was imported */
async function importFile(cli: Cli, path: string, options: FileOptions, thing: string, run: RunImport): Promise<void> {
  const { format = null, dryRun = false, skipInvalid = false, json = false } = options;
  const input = await openInput(cli, path);
  const printer = new ImportPrinter(cli.out, thing, { dryRun, json });
  const outcome = await run(input, { format, dryRun, skipInvalid }, printer);
  await printer.end(outcome);
  if (outcome.refused === 0 || skipInvalid) return;
  throw new CommandError(dryRun ? 'Not everything would be imported.' : 'Nothing was imported: mend what was refused, or leave it out with --skip-invalid.');
}

/** The file is opened before the database is: a misspelt name should not wait for that. */
async function openInput(cli: Cli, path: string): Promise<AsyncIterable<Buffer>> {
  if (path === '-') {
    if (cli.stdin.isTTY) throw usageError('- reads from a pipe, and this is a terminal.');
    return cli.stdin as AsyncIterable<Buffer>;
  }
  const file = await open(path).catch((error: unknown) => {
    throw usageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}).`);
  });
  return file.createReadStream() as AsyncIterable<Buffer>;
}
