import type { Settings } from './config/index.js';

/** Why the server cannot start, in words for the operator. Never holds a secret. */
export class StartError extends Error {
  override readonly name = 'StartError';
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

/**
 * What the database or the way to it says when it cannot be used. Errors of the program itself are left alone: they
 * have no code, and their stack is wanted.
 */
export function databaseError(error: unknown, { databaseUrl }: Settings): unknown {
  if (databaseUrl === undefined || !(error instanceof Error) || !comesFromDatabase(error)) return error;
  return new StartError(`the database ${placeOf(databaseUrl)} that DATABASE_URL names cannot be used: ${reasonOf(error)}`, { cause: error });
}

const LOST = /^(Connection terminated|timeout e|The server does not support SSL)/;

function comesFromDatabase(error: Error): boolean {
  const { code, driverError } = error as { code?: unknown; driverError?: unknown };
  return driverError !== undefined || (typeof code === 'string' && !code.startsWith('ERR_')) || LOST.test(error.message);
}

/** A name that has several addresses fails once for each of them (an AggregateError, which says nothing itself). */
function reasonOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
}

/** The address without user, password and parameters. */
function placeOf(url: string): string {
  const { host, pathname, searchParams } = new URL(url);
  return `${host === '' ? (searchParams.get('host') ?? 'localhost') : host}${pathname}`;
}
