import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from './client.js';

/** A message that was received, and whether its signature was right. */
export interface Received {
  readonly id: string;
  readonly path: string;
  readonly body: Json;
  readonly sound: boolean;
}

/** Somebody's own server, which checks signatures as Standard Webhooks says, with nothing of ours. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  /** What is answered from now on; `null` answers nothing until `release`. */
  answer: number | null = 204;
  private readonly held: ServerResponse[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(secret: string): Promise<WebhookReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver = new WebhookReceiver(server, `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
    server.on('request', (request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const { 'webhook-id': id = '', 'webhook-timestamp': time = '', 'webhook-signature': signature = '' } = request.headers as Record<string, string>;
        receiver.received.push({ id, path: request.url ?? '', body: JSON.parse(text), sound: isSound(secret, `${id}.${time}.${text}`, signature) && Math.abs(Date.now() / 1000 - Number(time)) < 60 });
        if (receiver.answer === null) receiver.held.push(response);
        else receiver.say(response, receiver.answer);
      });
    });
    return receiver;
  }

  /** Answers at last what was left without an answer. */
  release(status: number): void {
    for (const response of this.held.splice(0)) this.say(response, status);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private say(response: ServerResponse, status: number): void {
    response.writeHead(status, { location: this.url }).end('secret words of the receiver');
  }
}

function isSound(secret: string, signed: string, header: string): boolean {
  const [version, given = ''] = header.split(',');
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const expected = createHmac('sha256', key).update(signed, 'utf8').digest();
  const actual = Buffer.from(given, 'base64');
  return version === 'v1' && actual.length === expected.length && timingSafeEqual(actual, expected);
}
