import type { Command } from 'commander';
import type { Cli, DataOptions } from '../cli.js';
import { notFound, usageError } from '../command-error.js';
import { dataDirOption, examples, type RegisterCommands, requireUuid } from '../command-group.js';
import { type ListOptions, listOptions, printList } from '../listing.js';

/** `gatehouse webhook …`: events that web hooks did not take, and were given up. */
export const webhookCommands: RegisterCommands = (program, cli) => {
  const webhook = program.command('webhook').description('Web hooks: events that could not be delivered');
  list(webhook, cli);
  retry(webhook, cli);
};

function list(webhook: Command, cli: Cli): void {
  listOptions(webhook.command('list').description('Lists deliveries that were given up after the last attempt'), '{id, eventId, action, endpoint, attempts, deadAt, error}')
    .addHelpText('after', examples('gatehouse webhook list', 'gatehouse webhook list --all --json'))
    .action((options: ListOptions) =>
      cli.withInstance(options, async ({ dataSource }) => {
        const { findDead } = await import('../../webhooks/index.js');
        await printList(cli.out, options, {
          headings: ['ID', 'EVENT', 'ACTION', 'ENDPOINT', 'ATTEMPTS', 'GIVEN UP', 'ERROR'],
          page: (query) => findDead(dataSource, query),
          cells: (one) => [one.id, one.eventId, one.action, one.endpoint, one.attempts, one.deadAt, one.lastError],
          json: ({ id, eventId, action, endpoint, attempts, deadAt, lastError }) => ({
            id, eventId, action, endpoint, attempts, deadAt, error: lastError,
          }),
        });
      }),
    );
}

function retry(webhook: Command, cli: Cli): void {
  webhook
    .command('retry')
    .description('Has servers attempt deliveries again that were given up')
    .argument('[id...]', 'ids that webhook list shows', (id: string, before: string[]) => [...before, requireUuid(id)], [])
    .option('--all', 'All of them')
    .addOption(dataDirOption())
    .addHelpText('after', examples('gatehouse webhook retry 018f…', 'gatehouse webhook retry --all'))
    .action((ids: string[], options: DataOptions & { all?: true }) => {
      if ((ids.length > 0) === (options.all === true)) throw usageError('Name deliveries by their ids, or all of them with --all.');
      return cli.withInstance(options, async ({ dataSource }) => {
        const { retryDead } = await import('../../webhooks/index.js');
        const count = await retryDead(dataSource, options.all ? undefined : ids);
        if (count === 0 && !options.all) throw notFound('delivery of these ids that was given up');
        await cli.out.line(`${String(count)} of them will be attempted again.`);
      });
    });
}
