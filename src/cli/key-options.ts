import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ApiKeyRequest } from '../api-keys/index.js';
import type { User } from '../users/index.js';
import type { DataOptions } from './cli.js';
import { usageError } from './command-error.js';
import { dataDirOption, duration, list, WHO } from './command-group.js';
import type { Instance } from './instance.js';

/** Whose key: an account's, or the instance's own. */
export interface OwnerOptions {
  user?: string;
  instance?: true;
}

/** When a key ends. */
export interface End {
  readonly time: string;
  /** It was said as a span, which ends at another time whenever it is said. */
  readonly fromNow: boolean;
}

/** What a key is made of. */
export interface KeyOptions extends DataOptions, OwnerOptions {
  name: string;
  scopes: string[];
  expires?: End;
  resource?: { type: string; id: string };
  json?: true;
}

/** Adds `--user` and `--instance` to a command. */
export function ownerOptions(command: Command): Command {
  return command
    .addOption(new Option('--user <who>', `Of this account (${WHO})`))
    .addOption(new Option('--instance', "The instance's own, of no account").conflicts('user'));
}

/** Adds what a key is made of to a command. */
export function keyOptions(command: Command): Command {
  return ownerOptions(command)
    .requiredOption('--name <name>', 'What the key is called in lists')
    .addOption(new Option('--scopes <scopes>', 'What it may do: resource:action, resource:* or *, with commas between').argParser(list).makeOptionMandatory())
    .addOption(new Option('--expires <when>', 'When it ends: a duration such as 90d, or a time such as 2030-01-01T00:00:00Z').argParser(endOf))
    .addOption(new Option('--resource <type:id>', 'What it is bound to').argParser(resourceOf))
    .addOption(dataDirOption());
}

/** Whose key it is to be; `null`: the instance's own. @throws CommandError when neither or a wrong one is named */
export async function ownerOf(on: Instance, { user, instance }: OwnerOptions): Promise<User | null> {
  if (user !== undefined) return on.findUser(user);
  if (instance) return null;
  throw usageError('Whose key is it? Give --user <who>, or --instance for a key of no account.');
}

/** The key that the options describe. @throws AuthError `validation_failed` */
export async function requestOf(on: Instance, { name, scopes, expires, resource }: KeyOptions): Promise<ApiKeyRequest> {
  const { CreateApiKeyBody } = await import('../api-keys/index.js');
  const body = await on.validated({ name, scopes, expiresAt: expires?.time, resource }, CreateApiKeyBody);
  return { name: body.name, scopes: body.scopes, expiresAt: body.expiresAt ?? null, resource: body.resource ?? null };
}

/** A duration from now, or what will be read as a time. */
function endOf(text: string): End {
  const fromNow = /^\d+[smhd]?$/.test(text);
  return { time: fromNow ? new Date(Date.now() + duration(text) * 1_000).toISOString() : text, fromNow };
}

function resourceOf(text: string): { type: string; id: string } {
  const colon = text.indexOf(':');
  if (colon === -1) throw new InvalidArgumentError('It must be a type and an id with a colon between.');
  return { type: text.slice(0, colon), id: text.slice(colon + 1) };
}

