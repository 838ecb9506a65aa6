import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import type { RegisterCommands } from '../command-group.js';
import { examples } from '../command-group.js';

/** `gatehouse version`. Reads the manifest itself: what config/ exports loads much more, and this is to be quick. */
export const versionCommand: RegisterCommands = (program, cli) => {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
  program
    .version(manifest.version, '-V, --version', 'Prints the version')
    .command('version')
    .description('Prints the version')
    .addOption(new Option('--json', 'Prints {"version"} as JSON'))
    .addHelpText('after', examples('gatehouse version', 'gatehouse version --json'))
    .action(({ json }: { json?: true }) => (json ? cli.out.json({ version: manifest.version }) : cli.out.line(manifest.version)));
};
