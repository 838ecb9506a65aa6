import type { User } from '../../users/index.js';
import type { Cli, DataOptions } from '../cli.js';
import { usageError } from '../command-error.js';
import { dataDirOption, examples, jsonOption, type RegisterCommands, WHO } from '../command-group.js';
import type { Instance } from '../instance.js';
import { shown } from '../output.js';

interface RecoverOptions extends DataOptions {
  user?: string;
  json?: true;
}

/** `gatehouse owner …`: the way back in. */
export const ownerCommands: RegisterCommands = (program, cli) => {
  program
    .command('owner')
    .description('The owner of the instance')
    .command('recover')
    .summary('Lets an owner back in who lost the password: prints a one-time claim')
    .description('Lets an owner back in who lost the password, without mail. Prints a one-time claim, good for an hour, and a\n'
      + "command that sets a new password with it; the account is enabled and unlocked, and its sessions end. Where no\n"
      + 'owner is left who could sign in, the claim makes a new one. The server need not be stopped.')
    .option('--user <who>', `Which owner, if there are several (${WHO})`)
    .addOption(dataDirOption())
    .addOption(jsonOption('{"token", "expiresAt", "user", "url"}'))
    .addHelpText('after', examples('gatehouse owner recover', 'gatehouse owner recover --user ada@example.com'))
    .action((options: RecoverOptions) =>
      cli.withInstance(options, async (on) => {
        const owner = await ownerToRecover(on, options.user);
        const { token, expiresAt } = await on.recovery.open(owner, on.client);
        const url = `${addressOf(on)}/setup`;
        if (options.json) {
          const { userBody } = await import('../../users/index.js');
          return cli.out.json({ token, expiresAt, user: owner === null ? null : userBody(await on.users.getView(owner.id)), url });
        }
        return printClaim(cli, on, owner, { token, expiresAt, url });
      }),
    );
};

/** @throws CommandError when it is not clear whose account is meant */
async function ownerToRecover(on: Instance, who: string | undefined): Promise<User | null> {
  if (who !== undefined) {
    const user = await on.findUser(who);
    if (user.role === 'owner') return user;
    throw usageError(`${who} is no owner. For other accounts: gatehouse user set-password ${who}`);
  }
  const owners = await on.users.findOwners();
  if (owners.length > 1) {
    const names = owners.map((owner) => owner.email ?? owner.username ?? owner.id);
    throw usageError(`There are several owners; say which one with --user: ${names.join(', ')}`);
  }
  return owners[0] ?? null;
}

async function printClaim(cli: Cli, on: Instance, owner: User | null, { token, expiresAt, url }: { token: string; expiresAt: Date; url: string }): Promise<void> {
  const whose = owner === null
    ? 'No owner is left who could sign in: this makes a new one. Fill in your address and a password'
    : `This gives the account ${owner.email ?? owner.username ?? owner.id} back. Fill in a new password`;
  const account = owner === null ? '"email":"you@example.com",' : '';
  for (const line of [
    `${whose} of at least ${String(on.settings.passwordMinLength)} characters.`,
    `It works once, until ${shown(expiresAt)}, while the server runs.`,
    '',
    `  curl -X POST ${url} -H 'Content-Type: application/json' \\`,
    `    -d '{"token":"${token}",${account}"password":""}'`,
  ]) await cli.out.line(line);
}

/** Where the server listens, as seen from its own machine. */
function addressOf({ settings: { host, port } }: Instance): string {
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${local}:${port === 0 ? '<port>' : String(port)}`;
}
