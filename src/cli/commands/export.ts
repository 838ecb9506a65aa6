import type { Command } from 'commander';
import type { Cli, DataOptions } from '../cli.js';
import { dataDirOption, examples, type RegisterCommands } from '../command-group.js';
import { outputOption, writeExport } from '../export-output.js';
import type { Instance } from '../instance.js';
import { exportAudit } from './audit.js';

/** `gatehouse export …`: everything that there is, so that nobody is locked in. */
export const exportCommands: RegisterCommands = (program, cli) => {
  const group = program.command('export').description('Hands out accounts, keys and the audit log, as JSON lines');
  exportTable(group, cli, {
    name: 'users',
    description: 'Writes the accounts, one a line as JSON, with the hashes of their passwords: gatehouse import users takes them again',
    rows: async (on) => on.get((await import('../../transfer/index.js')).Exports).users(on.client),
  });
  exportTable(group, cli, {
    name: 'keys',
    description: 'Writes the API keys, one a line as JSON, by their SHA-256: gatehouse import keys takes them again',
    rows: async (on) => on.get((await import('../../transfer/index.js')).Exports).apiKeys(on.client),
  });
  exportAudit(group.command('audit'), cli, 'gatehouse export audit');
};

interface Table {
  name: string;
  description: string;
  rows: (on: Instance) => Promise<AsyncIterable<unknown>>;
}

function exportTable(group: Command, cli: Cli, { name, description, rows }: Table): void {
  group
    .command(name)
    .description(description)
    .addOption(outputOption())
    .addOption(dataDirOption())
    .addHelpText('after', examples(`gatehouse export ${name} -o ${name}.jsonl`))
    .action((options: DataOptions & { output?: string }) =>
      cli.withInstance(options, (on) =>
        writeExport(cli, options.output, async (out) => {
          for await (const row of await rows(on)) await out.jsonLine(row);
        }),
      ),
    );
}
