import { Command } from 'commander';
import { Cli, type Composition } from './cli.js';
import { COMMANDS } from './commands/index.js';
import { EXIT, EXIT_CODES } from './exit-codes.js';
import { explain } from './explain.js';
import { refuseSecrets } from './secret-arguments.js';

const ABOUT = `Runs Gatehouse and looks after its accounts, keys, sessions and audit log.

Commands work on the data of the server, while it runs and while it does not. They read the same \
variables and the same .env (gatehouse start --help lists them): run them in the server's directory, \
or in its container, as the account that it runs as.`;

/** Ends a process the way a signal does, through `exit`: then an embedded database that it started is stopped. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs one command.
 * @returns the code to exit with; `null` where a server was started, which goes on
 */
export async function runCommandLine(composition: Composition): Promise<number | null> {
  const [name, ...rest] = composition.argv;
  // The server reads its own flags, hears the signals itself, and stays.
  if (name === 'start') {
    await composition.start(rest);
    return null;
  }
  for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => process.exit(code));
  const cli = new Cli(composition);
  try {
    refuseSecrets(composition.argv);
    await program(cli).parseAsync(composition.argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    const { exitCode, message } = await explain(error);
    if (message !== null) cli.out.note(`gatehouse: ${message}`);
    return exitCode;
  }
}

function program(cli: Cli): Command {
  const gatehouse = new Command('gatehouse')
    .description(ABOUT)
    .exitOverride()
    .configureOutput({
      // What follows an option that is not known may be a secret.
      outputError: (text, write) => { write(text.replace(/^error: (unknown option '-[^'=]*)=.*'/s, "error: $1'").replace(/^error/, 'gatehouse')); },
    })
    .showHelpAfterError('(--help says more)')
    .helpCommand('help [command]', 'Says more about a command')
    .helpOption('-h, --help', 'Says more')
    .addHelpText('after', EXIT_CODES);
  for (const register of COMMANDS) register(gatehouse, cli);
  return gatehouse;
}
