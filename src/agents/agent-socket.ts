import { WebSocket } from 'ws';

/** Why a connection is closed (RFC 6455 §7.4.1 and the IANA registry of close codes). */
export const CLOSE = { goingAway: 1001, policy: 1008, fault: 1011, tryAgainLater: 1013 } as const;

const PING_EVERY_MS = 30_000;
/** A peer that has not read so much of what was sent to it reads nothing any more. */
const MOST_UNSENT_BYTES = 64 * 1024;

/** Takes the messages of a connection, one after the other; `null` stands for one that is not JSON text. */
export type MessageHandler = (message: unknown) => Promise<void> | void;

/**
 * One WebSocket: messages in order, and an end to peers that are gone, that do not read, or that go on talking after
 * they were told to leave.
 */
export class AgentSocket {
  /** Resolves when the connection is gone, with the code that it was closed with. */
  readonly closed: Promise<number>;
  private leaving = false;
  private answered = true;
  private turn: Promise<void> = Promise.resolve();
  private queued = 0;

  /**
   * @param failed told of an error of the handler
   * @param pingEveryMs a peer that has not answered one ping when the next is due is gone
   */
  constructor(
    private readonly socket: WebSocket,
    private readonly handler: MessageHandler,
    private readonly failed: (error: unknown) => void,
    pingEveryMs = PING_EVERY_MS,
  ) {
    const pings = setInterval(() => { this.ping(); }, pingEveryMs).unref();
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        this.leaving = true;
        clearInterval(pings);
        resolve(code);
      });
    });
    // `ws` closes by itself after an error; without a listener it would end the process.
    socket.on('error', () => undefined);
    socket.on('pong', () => { this.answered = true; });
    socket.on('ping', (data) => { this.whereRead(() => { socket.pong(data); }); });
    socket.on('message', (data, isBinary) => { this.enqueue(isBinary ? null : parsed(data as Buffer)); });
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

  /** The peer waits while a message is being handled: what it sends meanwhile stays with its system, not with ours. */
  private enqueue(message: unknown): void {
    if (this.leaving) return;
    this.queued += 1;
    this.socket.pause();
    this.turn = this.turn.then(async () => {
      try {
        if (!this.leaving) await this.handler(message);
      } catch (error) {
        this.failed(error);
      }
      this.queued -= 1;
      if (this.queued === 0) this.socket.resume();
    });
  }

  private ping(): void {
    if (!this.answered) {
      this.cut();
      return;
    }
    this.answered = false;
    this.whereRead(() => { this.socket.ping(); });
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
