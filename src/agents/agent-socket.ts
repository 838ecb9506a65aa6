import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Beating } from './heartbeat.js';

/** Why a connection is closed (RFC 6455 §7.4.1 and the IANA registry of close codes). */
export const CLOSE = { goingAway: 1001, policy: 1008, fault: 1011, tryAgainLater: 1013 } as const;

/** A peer that has not read so much of what was sent to it reads nothing any more. */
const MOST_UNSENT_BYTES = 64 * 1024;

/** A peer may say this much at once, and then so much a second: what comes faster stays with its system for a while. */
const BURST = 100;
const MESSAGE_EVERY_MS = 10;
/** What has been read already when a peer is told to wait. Who has said more than this at once is told to leave. */
const MOST_QUEUED = 200;

/** Takes the messages of a connection, one after the other; `null` stands for one that is not JSON text. */
export type MessageHandler = (message: unknown) => Promise<void> | void;

/**
 * One WebSocket: messages in order and no faster than is good, and an end to peers that are gone, that do not read, or
 * that go on talking after they were told to leave.
 */
export class AgentSocket implements Beating {
  /** Resolves when the connection is gone, with the code that it was closed with. */
  readonly closed: Promise<number>;
  private leaving = false;
  private answered = true;
  private turn: Promise<void> = Promise.resolve();
  private queued = 0;
  /** When the next message would be due if they came at the rate that is allowed. */
  private nextDue = 0;

  /** @param failed told of an error of the handler */
  constructor(
    private readonly socket: WebSocket,
    private readonly handler: MessageHandler,
    private readonly failed: (error: unknown) => void,
  ) {
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        this.leaving = true;
        resolve(code);
      });
    });
    // `ws` closes by itself after an error; without a listener it would end the process.
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => { this.enqueue(() => this.handler(isBinary ? null : parsed(data as Buffer))); });
    // Pings and pongs cost work too, so they wait in the same line.
    socket.on('ping', (data) => { this.enqueue(() => { this.whereRead(() => { socket.pong(data); }); }); });
    socket.on('pong', () => {
      this.answered = true;
      this.enqueue(() => undefined);
    });
  }

  /** Whether messages still go both ways. */
  get isOpen(): boolean {
    return !this.leaving;
  }

  /** Sends a message as JSON. */
  send(message: object): void {
    this.whereRead(() => { this.socket.send(JSON.stringify(message)); });
  }

  /** Closes the connection; nothing that the peer still says is heard. */
  close(code: number, reason: string): void {
    if (this.leaving) return;
    this.leaving = true;
    this.socket.close(code, reason);
  }

  /** Cuts the connection, for a peer that does not answer the closing. */
  cut(): void {
    this.leaving = true;
    this.socket.terminate();
  }

  /** A peer that has not answered the last ping when the next is due is gone. */
  beat(): void {
    if (!this.answered) {
      this.cut();
      return;
    }
    this.answered = false;
    this.whereRead(() => { this.socket.ping(); });
  }

  /** The peer waits while a message is being handled: what it sends meanwhile stays with its system, not with ours. */
  private enqueue(work: () => Promise<void> | void): void {
    if (this.leaving) return;
    if (this.queued === MOST_QUEUED) {
      this.close(CLOSE.policy, 'Too many messages');
      return;
    }
    this.queued += 1;
    this.socket.pause();
    this.turn = this.turn.then(() => this.take(work));
  }

  private async take(work: () => Promise<void> | void): Promise<void> {
    try {
      await this.untilDue();
      if (!this.leaving) await work();
    } catch (error) {
      this.failed(error);
    }
    this.queued -= 1;
    if (this.queued === 0) this.socket.resume();
  }

  private async untilDue(): Promise<void> {
    if (this.leaving) return;
    const now = performance.now();
    this.nextDue = Math.max(this.nextDue, now - BURST * MESSAGE_EVERY_MS) + MESSAGE_EVERY_MS;
    if (this.nextDue > now) await delay(this.nextDue - now, undefined, { ref: false });
  }

  /** Writes only to a peer that reads: what is not read would pile up here. */
  private whereRead(write: () => void): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > MOST_UNSENT_BYTES) this.cut();
    else write();
  }
}

function parsed(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8')) as unknown;
  } catch {
    return null;
  }
}
