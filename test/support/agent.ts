import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { Answer, Json } from './client.js';

/** The end of a connection. */
export interface Closing {
  code: number;
  reason: string;
  /** When the peer said so. */
  at: number;
}

/** An agent at its end of a WebSocket. */
export class Agent {
  readonly closing: Promise<Closing>;
  private readonly received: Json[] = [];
  private readonly waiting: ((message: Json) => void)[] = [];

  private constructor(readonly socket: WebSocket) {
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      const message: Json = JSON.parse((data as Buffer).toString());
      const next = this.waiting.shift();
      if (next === undefined) this.received.push(message);
      else next(message);
    });
    this.closing = new Promise((resolve) => {
      socket.once('close', (code, reason) => { resolve({ code, reason: reason.toString(), at: Date.now() }); });
    });
  }

  /** Opens a connection; the address may be http://. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<Agent> {
    const agent = new Agent(new WebSocket(url.replace(/^http/, 'ws'), { headers }));
    await once(agent.socket, 'open');
    return agent;
  }

  /** Opens a connection and lets the agent in by its first message. */
  static async admitted(url: string, key: string): Promise<Agent> {
    const agent = await Agent.open(url);
    const answer = await agent.ask({ type: 'auth', api_key: key });
    if (answer.type !== 'auth_success') throw new Error(`not let in: ${JSON.stringify(answer)}`);
    return agent;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /** The next message, or the end in its place. */
  next(): Promise<Json> {
    const message: Json = this.received.shift();
    if (message !== undefined) return Promise.resolve(message);
    return Promise.race([
      new Promise<Json>((resolve) => this.waiting.push(resolve)),
      this.closing.then(({ code, reason }) => ({ closed: code, reason })),
    ]);
  }

  ask(message: unknown): Promise<Json> {
    this.send(message);
    return this.next();
  }

  /** Whether the connection works in both directions. */
  async isIn(): Promise<boolean> {
    return (await this.ask({ type: 'ping' })).type === 'pong';
  }

  leave(): Promise<Closing> {
    this.socket.close();
    return this.closing;
  }
}

/** Asks for a WebSocket where it is expected to be refused. */
export async function refusedUpgrade(url: string, headers: Record<string, string> = {}): Promise<Answer<Json>> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const answered = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
  const isJson = (response.headers['content-type'] ?? '').includes('json');
  return { status: response.statusCode ?? 0, headers: new Headers(answered), body: isJson ? JSON.parse(text) : text };
}
