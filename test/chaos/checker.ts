import { byCredential, type Disturbance, type Ending, type History, type Moment, type SocketLife, type Use } from './history.js';

/** What must not happen, each in the words of the report. */
export const RULES = {
  lostWrite: 'acknowledged writes lost',
  unseenWrite: 'acknowledged writes that nobody looked for',
  acceptedAfterEnd: 'credentials accepted after their revocation was answered',
  acceptedAgain: 'credentials accepted again after they had been refused',
  refusedWhileGood: 'good credentials refused',
  openSocket: 'sockets open after their key had ended',
  closedSocket: 'sockets closed although their key was good',
  lockedOut: 'lockouts of clients that only used right passwords',
  serverError: '5xx other than 503',
  noRetryAfter: '503 without Retry-After',
  hung: 'requests neither answered nor cut in time',
  surprise: 'answers that the API does not give',
  badStop: 'stops that were slow or not clean',
  badStart: 'starts that failed',
  notRecovered: 'instances that did not recover',
} as const;

export type Rule = keyof typeof RULES;

/** One breach of a rule. */
export interface Violation {
  readonly rule: Rule;
  readonly at: Moment;
  readonly what: string;
  readonly requestId?: string;
}

/** What is promised in time, in milliseconds. */
export interface Limits {
  /** How long a refused credential may still be accepted elsewhere, when its revocation was never answered. */
  readonly lease: number;
  /** How long a socket may outlive the answer that ended its key. */
  readonly socket: number;
  /** The same where its instance cannot know. */
  readonly blindSocket: number;
  readonly stop: number;
}

/** Finds everything in a history that breaks a rule, one entry for each write, credential, socket or answer at fault. */
export function check(history: History, limits: Limits, now: Moment): Violation[] {
  return [
    ...checkWrites(history),
    ...checkCredentials(history, limits.lease),
    ...checkSockets(history, limits, now),
    ...checkAnswers(history),
    ...checkProcesses(history, limits.stop),
  ].sort((one, other) => one.at - other.at);
}

function checkWrites({ writes }: History): Violation[] {
  return writes
    .filter(({ found, superseded }) => found === false || (found === null && !superseded))
    .map(({ what, id, answered, found }) => ({ rule: found === null ? 'unseenWrite' : 'lostWrite', at: answered, what: `${what} ${id}` }));
}

function checkCredentials(history: History, lease: number): Violation[] {
  const endings = byCredential(history.endings);
  const violations: Violation[] = [];
  for (const [credential, uses] of byCredential(history.uses)) {
    const ends = endings.get(credential) ?? [];
    const found: [Rule, Use | undefined, string][] = [
      ['acceptedAfterEnd', uses.find((use) => use.accepted && ends.some((end) => mustRefuse(end, use))), describe(ends)],
      ['refusedWhileGood', uses.find((use) => !use.accepted && !ends.some((end) => mayRefuse(end, use))), describe(ends)],
      ['acceptedAgain', acceptedAgain(uses, ends, lease), 'it was refused before'],
    ];
    for (const [rule, use, why] of found) {
      if (use === undefined) continue;
      violations.push({ rule, at: use.begun, what: `${credential} at ${use.target}: ${why}`, requestId: use.requestId });
    }
  }
  return violations;
}

/** Asked for after the end was acknowledged, and answered before it was to be undone. */
function mustRefuse({ answered, liftBegun }: Ending, use: Use): boolean {
  return answered !== null && use.begun > answered && (liftBegun === null || use.ended < liftBegun);
}

/** The end had been asked for when the answer was given, and its reversal was not acknowledged when it was asked. */
function mayRefuse({ begun, liftAnswered }: Ending, use: Use): boolean {
  return begun <= use.ended && (liftAnswered === null || use.begun <= liftAnswered);
}

/** Once a credential was refused it has ended, whoever was told: nobody may let it in again but where it was remembered. */
function acceptedAgain(uses: readonly Use[], ends: readonly Ending[], lease: number): Use | undefined {
  if (ends.some(({ liftBegun }) => liftBegun !== null)) return undefined;
  const refused = Math.min(...uses.filter(({ accepted }) => !accepted).map(({ ended }) => ended));
  return uses.find(({ accepted, begun }) => accepted && begun > refused + lease);
}

function describe(ends: readonly Ending[]): string {
  if (ends.length === 0) return 'nobody has ended it';
  return ends.map(({ by, answered }) => `${by}, ${answered === null ? 'never answered' : `answered at ${answered.toFixed(0)}`}`).join('; ');
}

function checkSockets({ sockets, endings, disturbances }: History, limits: Limits, now: Moment): Violation[] {
  const endingsOf = byCredential(endings);
  const blinding = disturbances.filter((disturbance) => disturbance.blinding).sort((one, other) => one.begun - other.begun);
  return sockets.flatMap((socket): Violation[] => {
    const ends = endingsOf.get(socket.credential) ?? [];
    const name = `${socket.credential} at ${socket.target}`;
    const until = closingTime(socket, ends, blinding, limits);
    if ((socket.closed ?? now) > until) {
      return [{ rule: 'openSocket', at: until, what: `${name}: ${socket.closed === null ? 'never closed' : `closed ${(socket.closed - until).toFixed(0)} ms too late`}` }];
    }
    const { closed, code } = socket;
    if (closed === null || code !== POLICY_VIOLATION || ends.some(({ begun }) => begun <= closed)) return [];
    return [{ rule: 'closedSocket', at: closed, what: name }];
  });
}

/** RFC 6455 §7.4.1: what an agent is told whose key is no longer good. */
const POLICY_VIOLATION = 1008;

/** By when a socket must have been closed. */
function closingTime(socket: SocketLife, ends: readonly Ending[], blinding: readonly Disturbance[], limits: Limits): Moment {
  return Math.min(...ends.map(({ answered, liftBegun }) => {
    if (answered === null) return Infinity;
    const from = Math.max(answered, socket.opened);
    let until = from + limits.socket;
    for (const { begun, ended } of blinding) {
      if (begun < until && (ended ?? Infinity) > from - limits.socket) {
        until = Math.max(until, from + limits.blindSocket, (ended ?? Infinity) + limits.socket);
      }
    }
    // Good again before anybody had to notice.
    return liftBegun !== null && liftBegun < until ? Infinity : until;
  }));
}

function checkAnswers({ attempts, lockouts, surprises }: History): Violation[] {
  const violations: Violation[] = [];
  for (const { outcome, status, ofProduct, retryAfter, begun: at, route, target, requestId } of attempts) {
    const what = `${route} at ${target}: ${String(status ?? outcome)}`;
    if (outcome === 'hung') violations.push({ rule: 'hung', at, what });
    if (!ofProduct || status === null || status < 500) continue;
    if (status !== 503) violations.push({ rule: 'serverError', at, what, requestId });
    else if (!retryAfter) violations.push({ rule: 'noRetryAfter', at, what, requestId });
  }
  for (const { account, at, onlyRightPasswords } of lockouts) {
    if (onlyRightPasswords) violations.push({ rule: 'lockedOut', at, what: account });
  }
  for (const { what, target, at, requestId } of surprises) violations.push({ rule: 'surprise', at, what: `${what} at ${target}`, requestId });
  return violations;
}

function checkProcesses({ stops, failedStarts, recoveredAfterMs }: History, longestStop: number): Violation[] {
  return [
    ...stops
      .filter(({ code, tookMs }) => code !== 0 || tookMs > longestStop)
      .map(({ target, at, tookMs, code }) => ({ rule: 'badStop' as const, at, what: `${target}: code ${String(code)} after ${tookMs.toFixed(0)} ms` })),
    ...failedStarts.map(({ target, at, output }) => ({ rule: 'badStart' as const, at, what: `${target}: ${output}` })),
    ...(recoveredAfterMs === null ? [{ rule: 'notRecovered' as const, at: Infinity, what: 'not every instance was ready in time' }] : []),
  ];
}
