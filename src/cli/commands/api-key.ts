import { type Command, Option } from 'commander';
import type { ApiKey, IssuedApiKey } from '../../api-keys/index.js';
import type { Cli, DataOptions } from '../cli.js';
import { dataDirOption, duration, examples, jsonOption, type RegisterCommands, requireUuid } from '../command-group.js';
import { type KeyOptions, keyOptions, type OwnerOptions, ownerOf, ownerOptions, requestOf } from '../key-options.js';
import { type ListOptions, listOptions, printList } from '../listing.js';
import { shown } from '../output.js';
import { importApiKey } from './api-key-import.js';

/** `gatehouse api-key …`: the credentials of programs. */
export const apiKeyCommands: RegisterCommands = (program, cli) => {
  const apiKey = program.command('api-key').description('API keys: the credentials of programs');
  list(apiKey, cli);
  create(apiKey, cli);
  rotate(apiKey, cli);
  revoke(apiKey, cli);
  importApiKey(apiKey, cli);
};

function list(apiKey: Command, cli: Cli): void {
  listOptions(ownerOptions(apiKey.command('list').description('Lists keys, newest first, revoked ones included')), 'keys')
    .addHelpText('after', examples('gatehouse api-key list', 'gatehouse api-key list --user ada@example.com --json'))
    .action((options: ListOptions & OwnerOptions) =>
      cli.withInstance(options, async (on) => {
        const { apiKeyBody } = await import('../../api-keys/index.js');
        const user = options.user === undefined ? null : await on.findUser(options.user);
        const owner = user !== null ? { userId: user.id } : options.instance ? ({ instance: true } as const) : ({ everybody: true } as const);
        await printList(cli.out, options, {
          headings: ['ID', 'NAME', 'PREFIX', 'USER', 'SCOPES', 'STATE', 'LAST USED', 'EXPIRES'],
          page: (query) => on.apiKeys.find(on.operator, owner, query),
          cells: (one) => {
            const { expiresAt } = apiKeyBody(one);
            const end = expiresAt === null ? null : new Date(expiresAt);
            return [one.id, one.name, one.prefix, one.userId ?? 'instance', one.scopes.join(','), stateOf(one, end), one.lastUsedAt, end];
          },
          json: apiKeyBody,
        });
      }),
    );
}

function create(apiKey: Command, cli: Cli): void {
  keyOptions(apiKey.command('create').description('Makes a key, which is shown once'))
    .addOption(jsonOption('the API key, with "key",'))
    .addHelpText('after', examples(
      'gatehouse api-key create --user ada@example.com --name CI --scopes servers:read',
      'KEY=$(gatehouse api-key create --instance --name deploy --scopes "servers:*" --expires 90d)'))
    .action((options: KeyOptions) =>
      cli.withInstance(options, async (on) => {
        const owner = await ownerOf(on, options);
        const request = await requestOf(on, options);
        await printIssued(cli, options, await on.apiKeys.create(on.actingAs(owner), request, on.client), 'The key');
      }),
    );
}

function rotate(apiKey: Command, cli: Cli): void {
  apiKey
    .command('rotate')
    .description('Replaces a key by a new one with the same rights, which is shown once')
    .argument('<id>', 'the id that api-key list shows', requireUuid)
    .addOption(new Option('--overlap <duration>', 'How long the old key stays good, up to 7d').argParser(duration).default(0, 'not at all'))
    .addOption(dataDirOption())
    .addOption(jsonOption('the new API key, with "key",'))
    .addHelpText('after', examples('gatehouse api-key rotate 018f…', 'gatehouse api-key rotate 018f… --overlap 24h'))
    .action((id: string, options: DataOptions & { overlap: number; json?: true }) =>
      cli.withInstance(options, async (on) => {
        const { RotateApiKeyBody } = await import('../../api-keys/index.js');
        const { overlapSeconds = 0 } = await on.validated({ overlapSeconds: options.overlap }, RotateApiKeyBody);
        await on.apiKeys.get(on.operator, id);
        const issued = await on.change(() => on.apiKeys.rotate(on.operator, id, overlapSeconds, on.client));
        await printIssued(cli, options, issued, overlapSeconds === 0 ? 'The old key has ended. The new one' : 'The new key');
      }),
    );
}

function revoke(apiKey: Command, cli: Cli): void {
  apiKey
    .command('revoke')
    .description('Ends a key, at once and for good')
    .argument('<id>', 'the id that api-key list shows', requireUuid)
    .addOption(dataDirOption())
    .addOption(jsonOption('the API key'))
    .addHelpText('after', examples('gatehouse api-key revoke 018f…'))
    .action((id: string, options: DataOptions & { json?: true }) =>
      cli.withInstance(options, async (on) => {
        const { apiKeyBody } = await import('../../api-keys/index.js');
        await on.change(() => on.apiKeys.revoke(on.operator, id, on.client));
        const revoked = await on.apiKeys.get(on.operator, id);
        if (options.json) await cli.out.json(apiKeyBody(revoked));
        else await cli.out.line(`The key ${shown(revoked.name)} (${shown(revoked.prefix)}…) is revoked.`);
      }),
    );
}

/** The key is all that goes to standard output, so that a script can take it. */
async function printIssued(cli: Cli, { json }: { json?: true }, { apiKey, key }: IssuedApiKey, what: string): Promise<void> {
  const { apiKeyBody } = await import('../../api-keys/index.js');
  if (json) return cli.out.json({ ...apiKeyBody(apiKey), key });
  cli.out.note(`${what} (${apiKey.id}), which is shown this once:`);
  return cli.out.line(key);
}

function stateOf({ revokedAt }: ApiKey, end: Date | null): string {
  if (revokedAt !== null) return 'revoked';
  return end !== null && end.getTime() <= Date.now() ? 'expired' : 'active';
}
