import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { AgentSocket } from '../src/agents/agent-socket.js';
import { Heartbeat } from '../src/agents/heartbeat.js';
import { Rounds } from '../src/agents/rounds.js';

let server: WebSocketServer;
let options: { handler: (message: unknown) => Promise<void> | void };
let accepted: AgentSocket[];

beforeEach(async () => {
  accepted = [];
  options = { handler: () => undefined };
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    accepted.push(new AgentSocket(socket, (message) => options.handler(message), () => undefined));
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

describe('a heartbeat', () => {
  const PERIOD_MS = 40;
  const beat = (): void => { new Heartbeat(new Set(accepted), PERIOD_MS, PERIOD_MS / 2).start(); };

  it('keeps a peer that answers pings', async () => {
    const socket = await client();
    beat();
    let pings = 0;
    await new Promise<void>((resolve) => socket.on('ping', () => { pings += 1; if (pings === 10) resolve(); }));
    expect(accepted[0]!.isOpen).toBe(true);
    socket.terminate();
  });

  it('ends a peer that does not, and leaves the others', async () => {
    const others = [await client(), await client()];
    await client({ autoPong: false });
    beat();
    expect(await accepted[2]!.closed).toBe(1006);
    expect(accepted.map(({ isOpen }) => isOpen)).toEqual([true, true, false]);
    for (const socket of others) socket.terminate();
  });

  it('comes to everybody once a period, whoever comes and goes', () => {
    const members = new Set(Array.from({ length: 100 }, (_, index) => index));
    const rounds = new Rounds(members, 1_000);
    const first = Array.from({ length: 10 }, () => rounds.next(100));
    expect(first.map(({ length }) => length)).toEqual(Array.from({ length: 10 }, () => 10));
    expect(new Set(first.flat())).toEqual(members);
    for (let left = 0; left < 50; left += 1) members.delete(left);
    members.add(100);
    expect(new Set(Array.from({ length: 11 }, () => rounds.next(100)).flat())).toEqual(members);
    // However much time has passed, nobody has two turns at once.
    expect(rounds.next(60_000)).toHaveLength(51);
    members.clear();
    expect(rounds.next(60_000)).toEqual([]);
  });
});

describe('a peer that sends more than is good', () => {
  it.each<[string, Buffer]>([
    ['messages', frame(1, Buffer.from('{"type":"ping"}'))],
    ['pings of the protocol', frame(9, Buffer.alloc(125))],
    ['pongs that nobody asked for', frame(10, Buffer.alloc(0))],
  ])('%s, all at once, is told to leave', async (_, one) => {
    let handled = 0;
    options.handler = () => { handled += 1; };
    const socket = await rawClient();
    socket.write(Buffer.concat(Array.from({ length: 2_000 }, () => one)));
    await accepted[0]!.closed;
    expect(handled).toBeLessThanOrEqual(200);
    socket.destroy();
  });

  it('has to wait: a hundred at once are taken, then a hundred a second', async () => {
    let handled = 0;
    options.handler = () => { handled += 1; };
    const socket = await client();
    const since = performance.now();
    for (let sent = 0; sent < 150; sent += 1) socket.send('{}');
    while (handled < 150) {
      // Nobody gets ahead of the rate, however long the test's own pauses are.
      expect(handled).toBeLessThanOrEqual(101 + (performance.now() - since) / 10);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(performance.now() - since).toBeGreaterThan(450);
    expect(accepted[0]!.isOpen).toBe(true);
    socket.terminate();
  });
});

it('ends a peer that does not read what it is sent', async () => {
  const socket = await rawClient();
  const message = { padding: 'x'.repeat(1_000) };
  let sent = 0;
  for (; accepted[0]!.isOpen && sent < 64_000; sent += 1) {
    accepted[0]!.send(message);
    if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
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
