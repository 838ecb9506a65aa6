import { Client, type ClientConfig } from 'pg';
import { AwayError } from '../errors/index.js';
import { cancelStatement } from './cancel-statement.js';
import { Execution } from './execution.js';

/** What the connections of one pool keep to, and what they have in common. */
export interface Pace {
  /** Milliseconds that a statement may take. */
  readonly statementMs: number;
  /** A pooler hands connections out a transaction at a time: nothing that belongs to a session may be relied on. */
  readonly pooler: boolean;
  /** Statements answered so far, on whichever connection: where it stands still, the server is silent. */
  answers: number;
}

/** PostgreSQL, if it is alive, says by itself that a statement took too long; it is given this much longer to say so. */
const ALLOWANCE_MS = 250;
/** An instance that vanished in the middle of a transaction holds its locks no longer than this. */
const LONGEST_IDLE_TRANSACTION_MS = 30_000;
/** What TypeORM begins a transaction with. */
const BEGIN = 'START TRANSACTION';

/** A statement that was given up without an answer, and with it its connection. */
export class GivenUpError extends AwayError {
  override readonly name = 'GivenUpError';

  constructor(
    milliseconds: number,
    /** Whether nothing at all was answered in the meantime, on any connection of the pool. */
    readonly silent: boolean,
  ) {
    super(`PostgreSQL did not answer within ${milliseconds} ms`);
  }
}

/** For a direct connection, the limits that PostgreSQL keeps itself; poolers refuse them. */
export function sessionLimits({ statementMs, pooler }: Pace): Pick<ClientConfig, 'statement_timeout' | 'idle_in_transaction_session_timeout'> {
  return pooler ? {} : { statement_timeout: statementMs, idle_in_transaction_session_timeout: LONGEST_IDLE_TRANSACTION_MS };
}

/**
 * A connection that answers every statement in time, if with an error. PostgreSQL stops a statement that takes too long
 * (`statement_timeout`, or a cancel request). Where nothing comes back at all, the connection is cut: it could be in any
 * state, so it goes back to no pool and nothing is sent after the statement, a ROLLBACK neither. A transaction ends with
 * its connection.
 *
 * The driver's own `query_timeout` would leave the statement running on a connection that then serves the next caller.
 */
export class PacedConnection extends Client {
  private readonly pace: Pace | null;

  /** Without a pace a statement takes as long as it takes. */
  constructor(config: ClientConfig & { pace?: Pace }) {
    super(config);
    this.pace = config.pace ?? null;
    // Whoever uses the connection learns of its end from a statement. The server may end it between two, or before the
    // first: an event that nobody listens to would end the process.
    this.on('error', () => undefined);
  }

  /** As the driver's, in its two forms: with a callback, and with a promise. */
  override query(...[statement, values, callback]: unknown[]): never {
    const { pace } = this;
    if (pace === null) return super.query(...([statement, values, callback] as unknown as [string])) as never;
    const sent = (pace.pooler ? withoutSession(statement, pace) : statement) as string;
    const { answers } = pace;
    let over = false;
    // Behind a pooler PostgreSQL has to be told, or a statement would wait for its lock for ever, and then do its work.
    const cancelling = pace.pooler ? setTimeout(() => { cancelStatement(this); }, pace.statementMs) : undefined;
    const timer = setTimeout(() => {
      // Where it was this process that was held up, the answer may be there, unread: it is read before this runs.
      setImmediate(() => { if (!over) this.giveUp(pace, answers); });
    }, pace.statementMs + ALLOWANCE_MS);
    const ended = (error?: unknown): void => {
      over = true;
      clearTimeout(timer);
      clearTimeout(cancelling);
      // What was given up was not answered: it must not make others look as if the server spoke to them.
      if (!(error instanceof GivenUpError)) pace.answers += 1;
    };
    if (callback !== undefined) {
      super.query(sent, values as unknown[], (error, result) => {
        ended(error);
        (callback as (error: Error, result: unknown) => void)(error, result);
      });
      return undefined as never;
    }
    const result = super.query(sent, values as unknown[]);
    result.then(() => { ended(); }, ended);
    return result as never;
  }

  private giveUp(pace: Pace, answersBefore: number): void {
    this.connection.stream.destroy(new GivenUpError(pace.statementMs + ALLOWANCE_MS, pace.answers === answersBefore));
  }
}

/** The same statement with nothing in it that outlives its transaction. */
function withoutSession(statement: unknown, { statementMs }: Pace): unknown {
  if (statement === BEGIN) {
    // One message, so it costs no round trip.
    return `${BEGIN}; SET LOCAL statement_timeout = ${statementMs}; SET LOCAL idle_in_transaction_session_timeout = ${LONGEST_IDLE_TRANSACTION_MS}`;
  }
  if (typeof statement !== 'object') return statement;
  // A prepared statement lives on the connection that it was prepared on.
  if (!(statement instanceof Execution)) return { ...statement, name: undefined };
  statement.name = '';
  return statement;
}
