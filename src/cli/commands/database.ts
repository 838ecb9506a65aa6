import { Option } from 'commander';
import type { Moved } from '../../database/index.js';
import type { Cli, DataOptions } from '../cli.js';
import type { RegisterCommands } from '../command-group.js';
import { dataDirOption, examples } from '../command-group.js';
import { readUrl, type UrlOptions } from '../secret-input.js';

/** `gatehouse database …`: the database as a whole. */
export const databaseCommands: RegisterCommands = (program, cli) => {
  const database = program.command('database').description('Looks after the database as a whole');
  database
    .command('move')
    .summary('Copies everything to another PostgreSQL, and compares it row by row')
    .description(
      'Copies every table of the embedded database (or of the one that DATABASE_URL names) to an empty PostgreSQL database, and compares the two row by row. '
        + 'No server may run on either meanwhile. The target gets all of it or nothing: a move that was interrupted is begun again, one that is done is only compared. '
        + 'The source stays as it is.',
    )
    .addOption(new Option('--to <url>', 'The database to move to; without a password, which comes from PGPASSWORD or ~/.pgpass').conflicts(['toFile', 'stdin']))
    .addOption(new Option('--to-file <path>', 'Reads the URL, password and all, from a file').conflicts(['stdin']))
    .addOption(new Option('--stdin', 'Reads the URL, password and all, from standard input'))
    .addOption(dataDirOption())
    .addOption(new Option('--json', 'Prints {"before", "tables": [{"name", "rows"}], "left", "settings"} as JSON'))
    .addHelpText('after', examples(
      'gatehouse database move                                 # asks for the URL, without echo',
      'gatehouse database move --to-file /run/secrets/database-url',
      'PGPASSWORD=… gatehouse database move --to postgres://gatehouse@db.example.com/gatehouse?sslmode=verify-full',
    ))
    .action(async ({ json, to, toFile, stdin, ...options }: DataOptions & UrlOptions & { json?: true }) => {
      const url = await readUrl(cli, { ...(to === undefined ? {} : { to }), ...(toFile === undefined ? {} : { toFile }), ...(stdin === undefined ? {} : { stdin }) });
      const settings = await cli.settings(options);
      const { move } = await import('../move.js');
      const moved = await move(cli, settings, url);
      if (json) await cli.out.json(moved);
      else await print(cli, moved);
    });
};

async function print({ out }: Cli, { before, tables, left, settings }: Moved & { settings: Readonly<Record<string, string>> }): Promise<void> {
  await out.line(before ? 'The target is a copy already, and every row of it is the same:' : 'Everything is copied, and every row is the same:');
  const table = out.table('TABLE', 'ROWS');
  await table.add(tables.map(({ name, rows }) => [name, rows]));
  if (left.length > 0) await out.line(`\nNot Gatehouse's, and left where they are: ${left.join(', ')}.`);
  await out.line('\nStart the server with these settings from now on, the password in DATABASE_URL (or all of it in a file, DATABASE_URL_FILE):\n');
  for (const [name, value] of Object.entries(settings)) await out.line(`  ${name}=${value}`);
}

