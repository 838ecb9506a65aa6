import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { History } from './history.js';
import type { Random } from './random.js';
import type { Cargo, Reply, Target, Wire } from './wire.js';

/** How long somebody goes on asking; longer than anything stays broken. */
const LONGEST_INSISTENCE_MS = 120_000;

/** Requests that take a password hash, and how many of them are under way at a time: more would only wait for each other. */
const HASHING = /^POST \/(auth\/login|auth\/me\/password|users|users\/[^/]+\/password)$/;
const MOST_HASHING = 4;

/** What opens a door: a session with its tokens, or an API key. */
export interface Credential {
  /** As it is called in the history; never the secret itself. */
  readonly name: string;
  /** A request that takes nothing but this credential; `null` when there is nothing left to show. */
  show(): { line: string; cargo: Cargo } | null;
}

/** What all clients share. */
export class World {
  readonly live = new Set<Credential>();
  /** The latest last. */
  readonly ended: Credential[] = [];
  readonly sockets = new Set<WebSocket>();
  /** Clients come to an end as soon as what they are about is settled. */
  over = false;
  /** Clients give up whatever they are about. */
  abandoned = false;
  private hashing = 0;
  /** Opens an account that is locked, as an administrator. */
  unlock: (userId: string) => Promise<void> = () => Promise.reject(new Error('there is no administrator yet'));

  constructor(readonly wire: Wire, readonly history: History, readonly random: Random) {}

  /** Shows a credential somewhere, and notes whether it was accepted. */
  async use(credential: Credential, target: Target): Promise<void> {
    const request = credential.show();
    if (request !== null) this.noteUse(credential.name, await this.wire.send(target, request.line, request.cargo));
  }

  /** Notes what an answer says of the credential that the request was made with. */
  noteUse(credential: string, reply: Reply): void {
    if (!isAnswer(reply)) return;
    const { target, begun, ended, requestId } = reply;
    const accepted = reply.status !== 401;
    this.history.uses.push({ credential, target, begun, ended, accepted, requestId });
  }

  /** Notes an answer that the API does not give here. */
  surprise(reply: Reply): void {
    const { route, status, target, begun: at, requestId } = reply;
    const what = `${route}: ${String(status)} ${JSON.stringify(reply.body).slice(0, 300)}`;
    this.history.surprises.push({ what, target, at, requestId });
  }

  /**
   * Sends a request again and again until an instance answers it, in one way or another.
   * @param retried told of each attempt that nobody answered, and that may have been carried out all the same
   */
  async insist(line: string, cargo: Cargo, retried: (reply: Reply) => void = () => undefined): Promise<Reply> {
    const end = performance.now() + LONGEST_INSISTENCE_MS;
    for (;;) {
      const reply = await this.inTurn(line, () => this.wire.send(this.wire.anywhere(), line, { ...cargo, mayBeLost: true }));
      if (isAnswer(reply)) return reply;
      if (performance.now() > end || this.abandoned) throw new Error(`nobody answers ${line}: ${reply.outcome} ${String(reply.status)}`);
      retried(reply);
      await this.pause(50, 250);
    }
  }

  private async inTurn<T>(line: string, work: () => Promise<T>): Promise<T> {
    if (!HASHING.test(line)) return work();
    while (this.hashing >= MOST_HASHING) await this.pause(5, 20);
    this.hashing += 1;
    try {
      return await work();
    } finally {
      this.hashing -= 1;
    }
  }

  pause(least: number, most: number): Promise<void> {
    return delay(this.random.between(least, most));
  }
}

/** Whether an instance did what was asked, or refused it; a 503 says neither. */
export function isAnswer({ outcome, ofProduct, status }: Reply): boolean {
  return outcome === 'answered' && ofProduct && status !== null && status < 500;
}
