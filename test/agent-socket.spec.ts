import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { AgentSocket } from '../src/agents/agent-socket.js';

let server: WebSocketServer;
let options: { pingEveryMs?: number; handler: (message: unknown) => Promise<void> | void };
let accepted: AgentSocket[];

beforeEach(async () => {
  accepted = [];
  options = { handler: () => undefined };
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    accepted.push(new AgentSocket(socket, (message) => options.handler(message), () => undefined, options.pingEveryMs));
  });
});
afterEach(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

const port = () => (server.address() as AddressInfo).port;

async function client(more: object = {}): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(port())}`, more);
  await once(socket, 'open');
  return socket;
}

/** A peer of its own making, that can do what a library would not. */
async function rawClient(): Promise<Socket> {
  const socket = connect(port(), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
  await once(socket, 'data');
  socket.pause();
  return socket;
}

/** A frame of a client, masked with zeros (RFC 6455 §5.2). */
function frame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

it('keeps a peer that answers pings', async () => {
  options.pingEveryMs = 20;
  const socket = await client();
  let pings = 0;
  await new Promise<void>((resolve) => socket.on('ping', () => { pings += 1; if (pings === 10) resolve(); }));
  expect(accepted[0]!.isOpen).toBe(true);
  socket.terminate();
});

it('ends a peer that does not', async () => {
  options.pingEveryMs = 20;
  await client({ autoPong: false });
  expect(await accepted[0]!.closed).toBe(1006);
  expect(accepted[0]!.isOpen).toBe(false);
});

it.each<[string, Buffer]>([
  ['messages', frame(1, Buffer.from('{"type":"ping"}'))],
  ['pings of the protocol', frame(9, Buffer.alloc(125))],
])('ends a peer that sends %s and reads no answers', async (_, one) => {
  options.handler = () => { accepted[0]!.send({ type: 'pong', padding: 'x'.repeat(100) }); };
  const socket = await rawClient();
  const flood = Buffer.concat(Array.from({ length: 500 }, () => one));
  const most = 64 * 1024 * 1024;
  let sent = 0;
  for (; accepted[0]!.isOpen && sent < most; sent += flood.length) {
    if (!socket.write(flood)) await Promise.race([once(socket, 'drain').catch(() => undefined), accepted[0]!.closed]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(accepted[0]!.isOpen).toBe(false);
  socket.destroy();
});

it('handles one message after the other, and lets the peer wait', async () => {
  const log: string[] = [];
  options.handler = async (message) => {
    log.push(`begin ${String(message)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    log.push(`end ${String(message)}`);
    if (message === 3) accepted[0]!.close(1000, 'done');
  };
  const socket = await client();
  for (const message of [1, 2, 3, 4]) socket.send(String(message));
  await once(socket, 'close');
  expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
});
