import type { Command } from 'commander';
import { AuthError } from '../../errors/index.js';
import type { Cli, DataOptions } from '../cli.js';
import { conflict, notFound } from '../command-error.js';
import { dataDirOption, examples, type RegisterCommands, requireUuid, WHO } from '../command-group.js';
import { type ListOptions, listOptions, printList } from '../listing.js';

/** `gatehouse session …`: who is signed in, from where. */
export const sessionCommands: RegisterCommands = (program, cli) => {
  const session = program.command('session').description('Sessions: who is signed in, and from where');
  list(session, cli);
  revoke(session, cli);
};

function list(session: Command, cli: Cli): void {
  listOptions(session.command('list').description('Lists sessions that are alive, newest first'), 'sessions, each with "userId"')
    .option('--user <who>', `Those of one account (${WHO})`)
    .addHelpText('after', examples('gatehouse session list', 'gatehouse session list --user ada@example.com --json'))
    .action(({ user, ...options }: ListOptions & { user?: string }) =>
      cli.withInstance(options, async (on) => {
        const { sessionBody } = await import('../../sessions/index.js');
        const userId = user === undefined ? null : (await on.findUser(user)).id;
        await printList(cli.out, options, {
          headings: ['ID', 'USER', 'ADDRESS', 'LAST USED', 'EXPIRES', 'USER AGENT'],
          page: (query) => on.sessions.findLive(userId, query),
          cells: (one) => [one.id, one.userId, one.ipAddress, one.lastUsedAt, one.expiresAt, one.userAgent],
          json: (one) => ({ ...sessionBody(one, null), userId: one.userId }),
        });
      }),
    );
}

function revoke(session: Command, cli: Cli): void {
  session
    .command('revoke')
    .description('Ends a session, at once')
    .argument('<id>', 'the id that session list shows', requireUuid)
    .addOption(dataDirOption())
    .addHelpText('after', examples('gatehouse session revoke 018f…', 'gatehouse user sign-out ada@example.com   (all of an account)'))
    .action((id: string, options: DataOptions) =>
      cli.withInstance(options, async (on) => {
        const userId = await on.sessions.findUserId(id);
        if (userId === null) throw notFound(`session ${id}`);
        try {
          await on.change(() => on.sessions.revoke(userId, id, on.client));
        } catch (error) {
          if (error instanceof AuthError && error.code === 'not_found') throw conflict('The session has ended already.');
          throw error;
        }
        await cli.out.line('The session has ended.');
      }),
    );
}
