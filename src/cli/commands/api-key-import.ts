import { type Command, Option } from 'commander';
import type { ApiKey, ApiKeyRequest } from '../../api-keys/index.js';
import type { User } from '../../users/index.js';
import type { Cli } from '../cli.js';
import { conflict, usageError } from '../command-error.js';
import { examples, jsonOption, refuseMoreArguments } from '../command-group.js';
import type { Instance } from '../instance.js';
import { type KeyOptions, keyOptions, ownerOf, requestOf } from '../key-options.js';
import { shown } from '../output.js';
import { readKey } from '../secret-input.js';

/** `gatehouse api-key import`: a key that was made elsewhere. */
export function importApiKey(apiKey: Command, cli: Cli): void {
  keyOptions(apiKey.command('import').summary('Makes a key good here that somebody already has'))
    .description('Makes a key good here that somebody already has, known by itself or by its SHA-256. A second time nothing changes.')
    .addOption(new Option('--hash <sha256>', 'The SHA-256 of the key, in hexadecimal digits or base64').conflicts(['stdin', 'file']))
    .addOption(new Option('--stdin', 'Reads the key from standard input').conflicts('file'))
    .addOption(new Option('--file <path>', 'Reads the key from a file'))
    .addOption(jsonOption('the API key'))
    .allowExcessArguments()
    .addHelpText('after', examples(
      'gatehouse api-key import --user ada@example.com --name CI --scopes servers:read --file /run/secrets/ci-key',
      'gatehouse api-key import --instance --name legacy --scopes "*" --hash "$(printf %s "$KEY" | sha256sum | cut -c1-64)"'))
    .action(async (options: KeyOptions & { hash?: string; stdin?: true; file?: string }, command: Command) => {
      refuseMoreArguments(command);
      const key = options.hash === undefined ? { itself: await readUsableKey(cli, options) } : { hash: options.hash };
      await cli.withInstance(options, async (on) => {
        const { apiKeyBody } = await import('../../api-keys/index.js');
        const owner = await ownerOf(on, options);
        const request = await requestOf(on, options);
        const known = await knownKeyOf(on, key);
        const { apiKey: imported, done } = await on.apiKeys.adopt(on.actingAs(owner), known, request, on.client);
        if (!done) requireSame(imported, owner, request, options.expires?.fromNow ?? false);
        if (options.json) await cli.out.json(apiKeyBody(imported));
        else await cli.out.line(done ? `The key ${shown(imported.name)} was imported (${imported.id}).` : `The key is there already (${imported.id}); nothing was changed.`);
      });
    });
}

/** A key that nobody could use in a header, or that a guess could find, is none. */
const USABLE_KEY = /^[\x21-\x7e]{16,512}$/;

async function readUsableKey(cli: Cli, options: { stdin?: true; file?: string }): Promise<string> {
  const key = await readKey(cli, options);
  if (!USABLE_KEY.test(key)) throw usageError('The key must be 16 to 512 ASCII characters without white space.');
  return key;
}

async function knownKeyOf(on: Instance, key: { itself: string } | { hash: string }) {
  const { keyOfHash, knownKey } = await import('../../api-keys/index.js');
  if ('hash' in key) {
    const known = keyOfHash(key.hash);
    if (known === null) throw usageError('--hash must be a SHA-256: 64 hexadecimal digits, or 43 characters of base64.');
    return known;
  }
  if (!on.apiKeys.isPlausible(key.itself)) throw usageError('The key begins like one of our own, but its checksum is wrong: is it complete?');
  return knownKey(key.itself);
}

/** @throws CommandError when a key that was there before is not what it should be now */
function requireSame(key: ApiKey, owner: User | null, { scopes, resource, expiresAt }: ApiKeyRequest, fromNow: boolean): void {
  const is = `The key is there already (${key.id})`;
  if (key.revokedAt !== null) throw conflict(`${is}, and was revoked: it stays so. Take another key.`);
  if (key.userId !== (owner?.id ?? null)) throw conflict(`${is}, and belongs to ${key.userId === null ? 'the instance' : `the account ${key.userId}`}.`);
  if ([...key.scopes].sort().join() !== [...scopes].sort().join()) throw conflict(`${is}, with other scopes: ${key.scopes.join(', ')}.`);
  if (key.resourceType !== (resource?.type ?? null) || key.resourceId !== (resource?.id ?? null)) {
    throw conflict(`${is}, and is bound to ${key.resourceType === null ? 'nothing' : `${key.resourceType}:${key.resourceId ?? ''}`}.`);
  }
  if (key.retiresAt !== null) throw conflict(`${is}, and was rotated: it ends at ${key.retiresAt.toISOString()}. Take another key.`);
  if (!endsAsAsked(key.expiresAt, expiresAt, fromNow)) throw conflict(`${is}, with another end: ${key.expiresAt?.toISOString() ?? 'none'}.`);
}

/** Of a span that is said a second time, some may have gone by. */
function endsAsAsked(end: Date | null, asked: Date | null, fromNow: boolean): boolean {
  if (end === null || asked === null || !fromNow) return end?.getTime() === asked?.getTime();
  return end <= asked && end.getTime() > Date.now();
}
