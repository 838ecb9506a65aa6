import { check, type Limits, type Rule } from './checker.js';
import { type Attempt, type Disturbance, emptyHistory, type Ending, type History, type SocketLife, type Use, type Write } from './history.js';

const LIMITS: Limits = { lease: 6_000, socket: 2_000, blindSocket: 8_000, stop: 10_000 };
const NOW = 100_000;

const use = (begun: number, accepted: boolean, more: Partial<Use> = {}): Use =>
  ({ credential: 'key 1', target: 'nginx', begun, ended: begun + 10, accepted, requestId: '', ...more });
const ending = (begun: number, answered: number | null, more: Partial<Ending> = {}): Ending =>
  ({ credential: 'key 1', by: 'revocation', begun, answered, liftBegun: null, liftAnswered: null, ...more });
const attempt = (more: Partial<Attempt>): Attempt =>
  ({ route: 'GET /auth/me', target: 'nginx', begun: 0, ended: 10, outcome: 'answered', status: 200, ofProduct: true, retryAfter: false, requestId: '', ...more });
const write = (found: boolean | null, superseded = false): Write => ({ what: 'user', id: '1', answered: 0, found, superseded });
const socket = (closed: number | null, more: Partial<SocketLife> = {}): SocketLife =>
  ({ credential: 'key 1', target: 'instance 1', opened: 0, closed, code: closed === null ? null : 1008, ...more });
const blind = (begun: number, ended: number | null): Disturbance => ({ kind: 'database stopped', begun, ended, blinding: true });
const stop = (tookMs: number, code: number | null) => ({ target: 'instance 1', at: 0, tookMs, code });

/** A case: what it is about, what happened, and the rules that it breaks. */
type Case = [name: string, history: Partial<History>, breaks: Rule[]];

const CASES: Case[] = [
  ['nothing', {}, []],

  ['a write that is there', { writes: [write(true)] }, []],
  ['a write that is not there', { writes: [write(false)] }, ['lostWrite']],
  ['a write that is not there, though something later took its place', { writes: [write(false, true)] }, ['lostWrite']],
  ['a write that nobody looked for', { writes: [write(null)] }, ['unseenWrite']],
  ['a write that something later took the place of', { writes: [write(null, true)] }, []],

  ['a key that is used', { uses: [use(1, true)] }, []],
  ['a key used before, while and after it is revoked', { endings: [ending(100, 200)], uses: [use(50, true), use(150, true), use(199, true), use(201, false)] }, []],
  ['a key accepted after its revocation was answered', { endings: [ending(100, 200)], uses: [use(201, true)] }, ['acceptedAfterEnd']],
  ['the same, long after', { endings: [ending(100, 200)], uses: [use(201, false), use(50_000, true)] }, ['acceptedAfterEnd', 'acceptedAgain']],
  ['the same, by the answer of a second attempt', { endings: [ending(100, null), ending(150, 300)], uses: [use(250, true), use(301, true)] }, ['acceptedAfterEnd']],
  ['another key accepted after that', { endings: [ending(100, 200)], uses: [use(201, true, { credential: 'key 2' })] }, []],
  ['a key accepted while nobody has answered its revocation', { endings: [ending(100, null)], uses: [use(9_000, true)] }, []],
  ['a disabled user’s key accepted', { endings: [ending(100, 200, { liftBegun: 400, liftAnswered: 500 })], uses: [use(300, true)] }, ['acceptedAfterEnd']],
  ['a key accepted while its user is being enabled', { endings: [ending(100, 200, { liftBegun: 400, liftAnswered: 500 })], uses: [use(395, true), use(450, true), use(501, true)] }, []],

  ['a key refused that nobody revoked', { uses: [use(1, false)] }, ['refusedWhileGood']],
  ['a key refused before anybody revoked it', { endings: [ending(100, 200)], uses: [use(80, false)] }, ['refusedWhileGood']],
  ['a key refused in an answer that came after its revocation was asked for', { endings: [ending(100, 200)], uses: [use(95, false)] }, []],
  ['a key refused although its user is enabled again', { endings: [ending(100, 200, { liftBegun: 400, liftAnswered: 500 })], uses: [use(501, false)] }, ['refusedWhileGood']],
  ['a key refused while its user is being enabled', { endings: [ending(100, 200, { liftBegun: 400, liftAnswered: 500 })], uses: [use(450, false)] }, []],

  ['a key refused, and accepted again, by a revocation that nobody answered', { endings: [ending(100, null)], uses: [use(200, false), use(6_211, true)] }, ['acceptedAgain']],
  ['the same within the lease', { endings: [ending(100, null)], uses: [use(200, false), use(6_209, true)] }, []],
  ['a key refused and accepted again because its user is enabled', { endings: [ending(100, 200, { liftBegun: 400, liftAnswered: 500 })], uses: [use(300, false), use(9_000, true)] }, []],

  ['a socket closed with its key', { endings: [ending(900, 1_000)], sockets: [socket(2_999)] }, []],
  ['a socket closed too late', { endings: [ending(900, 1_000)], sockets: [socket(3_001)] }, ['openSocket']],
  ['a socket never closed', { endings: [ending(900, 1_000)], sockets: [socket(null)] }, ['openSocket']],
  ['a socket opened while its key was revoked, and closed too late', { endings: [ending(900, 1_000)], sockets: [socket(4_001, { opened: 2_000 })] }, ['openSocket']],
  ['a socket of another key', { endings: [ending(900, 1_000)], sockets: [socket(null, { credential: 'key 2' })] }, []],
  ['a socket whose key nobody was told has ended', { endings: [ending(900, null)], sockets: [socket(null)] }, []],
  ['a socket that could not know', { endings: [ending(900, 1_000)], sockets: [socket(8_999)], disturbances: [blind(2_500, 7_500)] }, []],
  ['a socket that could have known by then', { endings: [ending(900, 1_000)], sockets: [socket(9_501)], disturbances: [blind(2_500, 7_500)] }, ['openSocket']],
  ['a socket whose key was good again before long', { endings: [ending(900, 1_000, { liftBegun: 2_000 })], sockets: [socket(null)] }, []],
  ['a socket whose key was good again after long', { endings: [ending(900, 1_000, { liftBegun: 4_000 })], sockets: [socket(null)] }, ['openSocket']],
  ['a socket closed for a key that nobody revoked', { sockets: [socket(500)] }, ['closedSocket']],
  ['a socket closed before anybody revoked its key', { endings: [ending(900, 1_000)], sockets: [socket(800)] }, ['closedSocket']],
  ['a socket closed for another reason', { sockets: [socket(500, { code: 1001 })] }, []],

  ['an account locked by right passwords', { lockouts: [{ account: 'a', at: 0, onlyRightPasswords: true }] }, ['lockedOut']],
  ['an account locked by old passwords', { lockouts: [{ account: 'a', at: 0, onlyRightPasswords: false }] }, []],

  ['an internal error', { attempts: [attempt({ status: 500 })] }, ['serverError']],
  ['a 502 of the proxy', { attempts: [attempt({ status: 502, ofProduct: false })] }, []],
  ['a 503 that says when to come again', { attempts: [attempt({ status: 503, retryAfter: true })] }, []],
  ['a 503 that does not', { attempts: [attempt({ status: 503 })] }, ['noRetryAfter']],
  ['a request that nobody answered', { attempts: [attempt({ outcome: 'hung', status: null })] }, ['hung']],
  ['a request that was cut', { attempts: [attempt({ outcome: 'broken', status: null }), attempt({ outcome: 'lost', status: null })] }, []],
  ['an answer out of place', { surprises: [{ what: 'GET /auth/me: 418', target: 'nginx', at: 0, requestId: '' }] }, ['surprise']],

  ['a clean stop', { stops: [stop(9_999, 0)] }, []],
  ['a stop that took too long', { stops: [stop(10_001, 0)] }, ['badStop']],
  ['a stop that was none', { stops: [stop(10, 1)] }, ['badStop']],
  ['a start that failed', { failedStarts: [{ target: 'instance 1', at: 0, output: '' }] }, ['badStart']],
  ['an instance that did not come back', { recoveredAfterMs: null }, ['notRecovered']],
];

it.each(CASES)('finds what is wrong with %s', (_, happened, breaks) => {
  const history: History = { ...emptyHistory(), recoveredAfterMs: 0, ...happened };
  expect(check(history, LIMITS, NOW).map(({ rule }) => rule).sort()).toEqual([...breaks].sort());
});

it('names each credential at fault once', () => {
  const history: History = { ...emptyHistory(), recoveredAfterMs: 0, endings: [ending(100, 200)], uses: [use(300, true), use(400, true), use(250, false, { credential: 'key 2' })] };
  expect(check(history, LIMITS, NOW)).toEqual([
    { rule: 'refusedWhileGood', at: 250, what: 'key 2 at nginx: nobody has ended it', requestId: '' },
    { rule: 'acceptedAfterEnd', at: 300, what: 'key 1 at nginx: revocation, answered at 200', requestId: '' },
  ]);
});
