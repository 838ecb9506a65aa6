import { decodeJwt } from '../support/jwt.js';
import { acknowledge, type History, type Moment, type Write } from './history.js';
import { Register } from './register.js';
import { Sweep } from './sweep.js';
import type { Cargo, Reply } from './wire.js';
import type { Credential, World } from './world.js';

/** A token is not shown in its last moments: it would be refused on the way. */
const SPARE_MS = 30_000;

/** A password, with the name under which the history knows it. */
export interface Password {
  readonly text: string;
  readonly credential: string;
}

/** A session, with the tokens that its client has. */
export class Session implements Credential {
  readonly id: string;
  readonly name: string;
  refreshToken: string;
  /** Somebody is refreshing it. */
  busy = false;
  /** Until then a refresh that nobody answered may still be under way: its successor must not be used up. */
  quietUntil: Moment = 0;
  /** What was acknowledged last: its start, or a refresh. The next refresh shows whether that was kept. */
  latest: Write;
  private accessTokens: { text: string; until: Moment }[] = [];

  constructor(readonly account: Account, reply: Reply) {
    const { accessToken, refreshToken } = reply.body as { accessToken: string; refreshToken: string };
    this.id = String(decodeJwt(accessToken).claims['sid']);
    this.name = `session ${this.id}`;
    this.refreshToken = refreshToken;
    this.latest = acknowledge(account.world.history, 'session', this.id, reply.ended);
    this.keep(reply);
  }

  /** The newest access token. */
  get token(): string | undefined {
    return this.accessTokens.at(-1)?.text;
  }

  /** Takes the access token of an answer, beside the one before it, which stays good. */
  keep(reply: Reply): void {
    const { accessToken: text, expiresIn } = reply.body as { accessToken: string; expiresIn: number };
    this.accessTokens = [...this.accessTokens.slice(-1), { text, until: reply.begun + expiresIn * 1000 - SPARE_MS }];
  }

  show(): { line: string; cargo: Cargo } | null {
    const tokens = this.accessTokens.filter(({ until }) => until > performance.now());
    return tokens.length === 0 ? null : { line: 'GET /auth/me', cargo: { token: this.account.world.random.pick(tokens).text } };
  }
}

/** An API key. */
export class ApiKey implements Credential {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  /** That it was made; the end shows whether it is still there. */
  readonly made: Write;

  constructor(history: History, reply: Reply) {
    const { id, key } = reply.body as { id: string; key: string };
    this.id = id;
    this.key = key;
    this.name = `key ${id}`;
    this.made = acknowledge(history, 'key', id, reply.ended);
  }

  show(): { line: string; cargo: Cargo } {
    return { line: 'GET /api-keys/current', cargo: { apiKey: this.key } };
  }
}

/** Somebody's account, as its owner knows it. */
export class Account {
  readonly sessions = new Set<Session>();
  readonly keys = new Set<ApiKey>();
  /** Passwords that the account may have by now: changes that nobody answered. */
  pendingPasswords: Password[] = [];
  passwordChange: Write | null = null;
  /** Somebody is changing the password. */
  changing = false;
  /** Whether the password has never changed, so that nobody can have tried one that was no longer right. */
  onlyRightPasswords = true;
  readonly name: Register;
  /** What its browser keeps. */
  cookie: string | undefined;
  private readonly sweeps: { sweep: Sweep; spares: Password | null }[] = [];
  private passwords = 0;

  constructor(
    readonly world: World,
    readonly id: string,
    readonly username: string,
    public password: Password,
    /** That it was made; the end shows whether it is still there. */
    readonly made: Write | null,
    /** Whether it is signed in to from a browser that remembers `gh_device`. */
    readonly keepsCookies = false,
  ) {
    this.name = new Register(world.history, 'name');
  }

  /** A password that the account has never had. */
  newPassword(): Password {
    this.onlyRightPasswords = false;
    this.passwords += 1;
    return passwordOf(this.username, this.passwords);
  }

  /** The password is this one for certain. */
  confirmPassword(password: Password, at: Moment): void {
    this.password = password;
    this.pendingPasswords = [];
    if (this.passwordChange !== null) this.passwordChange.superseded = true;
    this.passwordChange = acknowledge(this.world.history, 'password change', password.credential, at);
  }

  /**
   * Begins something that ends the account's sessions, but for one, and its keys if it says so.
   * @param complete whether no session that is started meanwhile can overtake it
   * @param spares sessions that are started with this password are not touched
   */
  sweep(by: string, { complete, keys = false, except = null, spares = null }: SweepOptions): Sweep {
    const sweep = new Sweep(this.world.history, by, complete);
    this.sweeps.push({ sweep, spares });
    for (const credential of [...this.sessions, ...(keys ? this.keys : [])]) {
      if (credential !== except) this.sweepInto(sweep, credential);
    }
    return sweep;
  }

  /** Begins something that ends one credential. */
  sweepOf(credential: Session | ApiKey, by: string): Sweep {
    const sweep = new Sweep(this.world.history, by, true);
    this.sweepInto(sweep, credential);
    return sweep;
  }

  /** A session that a login started: good, unless something ended it on the way. */
  enter(reply: Reply, password: Password): Session {
    const session = new Session(this, reply);
    this.sessions.add(session);
    this.world.live.add(session);
    for (const { sweep, spares } of this.sweeps) {
      if (spares === password || !sweep.overlaps(reply.begun)) continue;
      sweep.addLate(session.name);
      this.drop(session);
    }
    return session;
  }

  /** A key that was just made. */
  receive(reply: Reply): ApiKey {
    const key = new ApiKey(this.world.history, reply);
    this.hold(key);
    return key;
  }

  /** A key is good. */
  hold(key: ApiKey): void {
    key.made.superseded = false;
    this.keys.add(key);
    this.world.live.add(key);
  }

  /** Nobody relies on a credential any more: something was asked for that ends it. */
  drop(credential: Session | ApiKey): void {
    if (!this.world.live.delete(credential)) return;
    this.world.ended.push(credential);
    if (credential instanceof ApiKey) this.keys.delete(credential);
    else this.sessions.delete(credential);
    (credential instanceof ApiKey ? credential.made : credential.latest).superseded = true;
  }

  private sweepInto(sweep: Sweep, credential: Session | ApiKey): void {
    sweep.add(credential.name);
    this.drop(credential);
  }
}

interface SweepOptions {
  complete: boolean;
  keys?: boolean;
  except?: Session | null;
  spares?: Password | null;
}

/** Long enough, on no list, and different each time. */
export function passwordOf(username: string, version: number): Password {
  return { text: `long words ${String(version)} for ${username}`, credential: `password ${String(version)} of ${username}` };
}
