import { Option } from 'commander';
import type { DataOptions } from '../cli.js';
import type { RegisterCommands } from '../command-group.js';
import { dataDirOption, examples } from '../command-group.js';

/** `gatehouse migrate`: the schema, for those who do not leave it to the start. */
export const migrateCommand: RegisterCommands = (program, cli) => {
  program
    .command('migrate')
    .summary('Brings the schema of the database up to date')
    .description('Runs the migrations that have not run yet, as every start of the server does. Makes the embedded database where there is none.')
    .addOption(dataDirOption())
    .addOption(new Option('--json', 'Prints {"ran": [names]} as JSON'))
    .addHelpText('after', examples('gatehouse migrate', 'DATABASE_URL=postgres://… JWT_SECRET=… gatehouse migrate --json'))
    .action(async ({ json, ...options }: DataOptions & { json?: true }) => {
      const settings = await cli.settings(options);
      const ran = await cli.reaching(settings, async () => (await import('../migrate.js')).migrateDatabase(settings, cli.out));
      if (json) return cli.out.json({ ran });
      for (const name of ran) await cli.out.line(name);
      return ran.length === 0 ? cli.out.line('The schema is up to date.') : undefined;
    });
};
