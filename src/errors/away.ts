/**
 * Something that the server depends on was not reached, or did not answer in time: not our fault, not the caller's, and
 * it passes by itself. The edge answers it as `unavailable`.
 */
export class AwayError extends Error {
  override readonly name: string = 'AwayError';
}

/**
 * SQLSTATEs that say "not now": connection (08), serialization and deadlock (40001, 40P01), resources such as a full disk
 * or too many connections (53), shutdown, crash and start (57P0x), a statement that was cancelled, as it is when it takes
 * too long (57014), a lock or a transaction that took too long (55P03, 25P03), a read-only database (25006), I/O (58030).
 */
const PASSING_STATES = /^(08...|25006|25P03|40001|40P01|53...|55P03|57014|57P0\d|58030)$/;
/** The way there is closed: refused, reset, unroutable, or a name that resolves to nothing (yet). */
const PASSING_SYSTEM_ERRORS = /^(ECONN[A-Z]*|EPIPE|ETIMEDOUT|E(HOST|NET)(UNREACH|DOWN)|ENOTFOUND|EAI_AGAIN|EMFILE|ENFILE)$/;
/** What the driver, its pool and TypeORM say without a code when a connection is lost, or none is had in time. */
const PASSING_MESSAGES =
  /^(Connection terminated|timeout e(xceeded|xpired)|Client (was closed|has encountered)|Cannot use a pool after|Driver not Connected|Query runner already released|Database connection provided by a query runner was already released)/;

/**
 * Whether an error says that the database, or the way to it, is away for now. The one place that knows; whoever has to
 * tell "try again later" from a fault of the program asks here.
 */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AwayError) return true;
  const { driverError, code, syscall } = error as { driverError?: unknown; code?: unknown; syscall?: unknown };
  // TypeORM's QueryFailedError.
  if (driverError !== undefined) return isAway(driverError);
  if (typeof code !== 'string') return PASSING_MESSAGES.test(error.message);
  // The socket of a server that is not running; a missing file is another matter.
  if (code === 'ENOENT') return syscall === 'connect';
  return PASSING_STATES.test(code) || PASSING_SYSTEM_ERRORS.test(code);
}
