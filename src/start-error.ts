import type { Settings } from './config/index.js';
import { DatabaseRefusedError } from './database/index.js';
import { isAway } from './errors/index.js';

/** Why the server cannot start, in words for the operator. Never holds a secret. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** The start was stopped by a signal before it was done; nothing is wrong. */
export class StartStopped extends Error {
  override readonly name = 'StartStopped';
}

const LISTENING: Record<string, (port: number, host: string) => string> = {
  EADDRINUSE: (port, host) => `PORT ${String(port)} of HOST ${host} is in use by another program: stop it, or set another PORT (0 takes any free one)`,
  EACCES: (port) => `this account may not listen on PORT ${String(port)}: set one above 1023`,
  EADDRNOTAVAIL: (_, host) => `HOST ${host} is no address of this machine: set one that is, or 0.0.0.0 for all`,
  ENOTFOUND: (_, host) => `HOST ${host} is a name that nothing is known of: set an address of this machine`,
};

/** What the network says of a server that cannot listen, in terms of its settings. */
export function listenError(error: unknown, { port, host }: Settings): unknown {
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  const words = syscall === 'listen' || syscall === 'getaddrinfo' || syscall === 'bind' ? LISTENING[code] : undefined;
  return words === undefined ? error : new StartError(words(port, host), { cause: error });
}

/** SQLSTATE: five digits and capital letters, of which every one that PostgreSQL uses has a digit (Node's codes have none). */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/**
 * What the database or the way to it says when it cannot be used. Errors of the program itself are left alone: their
 * stack is wanted.
 */
export function databaseError(error: unknown, settings: Settings): unknown {
  if (settings.databaseUrl === undefined || !(error instanceof Error) || !comesFromDatabase(error)) return error;
  const waited = isAway(error) && settings.databaseWaitSeconds > 0 ? ` (waited ${settings.databaseWaitSeconds} s for it)` : '';
  return new StartError(`${databaseName(settings)} cannot be used: ${reasonOf(error)}${waited}`, { cause: error });
}

function comesFromDatabase(error: Error): boolean {
  if (error instanceof DatabaseRefusedError || isAway(error)) return true;
  const { code, driverError } = error as { code?: unknown; driverError?: unknown };
  return driverError !== undefined || (typeof code === 'string' && SQLSTATE.test(code));
}

/** A name that has several addresses fails once for each of them (an AggregateError, which says nothing itself). */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** What an operator calls the database: its address without user, password and parameters. */
export function databaseName({ databaseUrl }: Settings): string {
  if (databaseUrl === undefined) return 'the embedded database';
  // The driver takes an empty host after credentials; WHATWG's URL does not.
  const { host, pathname, searchParams } = new URL(databaseUrl.replace('@/', '@localhost/'));
  return `the database ${searchParams.get('host') ?? (host === '' ? 'localhost' : host)}${pathname} that DATABASE_URL names`;
}
