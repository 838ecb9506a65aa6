import type { RegisterCommands } from '../command-group.js';
import { examples } from '../command-group.js';

/** `gatehouse start`: the server. */
export const startCommand: RegisterCommands = (program, cli) => {
  program
    .command('start')
    .summary('Starts the server, as npm start does')
    .description('Starts the server. gatehouse start --help lists its flags and every variable.')
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', examples('gatehouse start', 'gatehouse start --port 4000 --data-dir /srv/gatehouse'))
    .action((_: object, { args }: { args: string[] }) => cli.start(args));
};
