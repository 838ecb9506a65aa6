/** Milliseconds on this process's own clock, which only moves forwards. */
export type Moment = number;

/** A request, and what came of it. */
export interface Attempt {
  readonly route: string;
  /** Who was asked: the proxy or one of the instances. */
  readonly target: string;
  readonly begun: Moment;
  readonly ended: Moment;
  /** `lost`: the client hung up on purpose; `broken`: the connection failed; `hung`: nothing within the deadline. */
  readonly outcome: 'answered' | 'lost' | 'broken' | 'hung';
  readonly status: number | null;
  /** Whether an instance answered, and not the proxy. */
  readonly ofProduct: boolean;
  readonly retryAfter: boolean;
  readonly requestId: string;
}

/** A credential that was shown, and accepted or refused. */
export interface Use {
  readonly credential: string;
  readonly target: string;
  readonly begun: Moment;
  readonly ended: Moment;
  readonly accepted: boolean;
  readonly requestId: string;
}

/** Something that ends a credential, for good or for a while. */
export interface Ending {
  readonly credential: string;
  readonly by: string;
  /** When it was first asked for: from then on a refusal may be right. */
  readonly begun: Moment;
  /** When it was acknowledged: whoever asks later must be refused. `null` as long as nobody has said that it is done. */
  answered: Moment | null;
  /** When its reversal was first asked for, and when that was acknowledged. */
  liftBegun: Moment | null;
  liftAnswered: Moment | null;
}

/** A change that was acknowledged, and whether it was there when somebody looked. */
export interface Write {
  readonly what: string;
  readonly id: string;
  readonly answered: Moment;
  /** `null`: nobody has looked. */
  found: boolean | null;
  /** Something later has taken its place, so that it cannot be looked for any more. */
  superseded: boolean;
}

/** The life of an agent's socket. */
export interface SocketLife {
  readonly credential: string;
  readonly target: string;
  readonly opened: Moment;
  closed: Moment | null;
  code: number | null;
}

/** An account that was found locked. */
export interface Lockout {
  readonly account: string;
  readonly at: Moment;
  /** Whether nobody can have tried a wrong password there. */
  readonly onlyRightPasswords: boolean;
}

/** An answer that the API does not give, or that contradicts another. */
export interface Surprise {
  readonly what: string;
  readonly target: string;
  readonly at: Moment;
  readonly requestId: string;
}

/** Something that was broken for a while, on purpose. */
export interface Disturbance {
  readonly kind: string;
  readonly begun: Moment;
  ended: Moment | null;
  /** Whether an instance may have been without the database, or without a processor, because of it. */
  readonly blinding: boolean;
}

/** A process that was asked to stop. */
export interface Stop {
  readonly target: string;
  readonly at: Moment;
  readonly tookMs: number;
  readonly code: number | null;
}

/** All that happened, as the clients saw it. */
export interface History {
  readonly attempts: Attempt[];
  readonly uses: Use[];
  readonly endings: Ending[];
  readonly writes: Write[];
  readonly sockets: SocketLife[];
  readonly lockouts: Lockout[];
  readonly surprises: Surprise[];
  readonly disturbances: Disturbance[];
  readonly stops: Stop[];
  /** Starts of an instance that ended without one. */
  readonly failedStarts: { readonly target: string; readonly at: Moment; readonly output: string }[];
  /** How long all instances took to be ready after the last disturbance; `null` if they were not in time. */
  recoveredAfterMs: number | null;
}

export function emptyHistory(): History {
  return {
    attempts: [], uses: [], endings: [], writes: [], sockets: [], lockouts: [], surprises: [], disturbances: [], stops: [],
    failedStarts: [], recoveredAfterMs: null,
  };
}

/** Notes that something is about to be asked for which ends a credential. */
export function beginEnding(history: History, credential: string, by: string, begun: Moment = performance.now()): Ending {
  const ending: Ending = { credential, by, begun, answered: null, liftBegun: null, liftAnswered: null };
  history.endings.push(ending);
  return ending;
}

/** Notes a change that was acknowledged. */
export function acknowledge(history: History, what: string, id: string, answered: Moment): Write {
  const write: Write = { what, id, answered, found: null, superseded: false };
  history.writes.push(write);
  return write;
}

export function byCredential<T extends { readonly credential: string }>(records: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const record of records) {
    const group = groups.get(record.credential);
    if (group === undefined) groups.set(record.credential, [record]);
    else group.push(record);
  }
  return groups;
}
