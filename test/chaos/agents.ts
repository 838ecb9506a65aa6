import { WebSocket } from 'ws';
import type { ApiKey } from './account.js';
import type { SocketLife } from './history.js';
import type { Target } from './wire.js';
import type { World } from './world.js';

const DEADLINE_MS = 10_000;

/** Connects an agent, and writes its socket's life down until it ends. */
export async function connect(world: World, key: ApiKey, target: Target): Promise<void> {
  const begun = performance.now();
  const inHeader = world.random.chance(0.5);
  const socket = new WebSocket(`ws://127.0.0.1:${String(target.port)}/api/v1/agents/ws`, {
    ...(inHeader ? { headers: { 'x-api-key': key.key } } : {}),
    handshakeTimeout: DEADLINE_MS,
  });
  socket.on('error', () => undefined);
  if (!inHeader) socket.on('open', () => { socket.send(JSON.stringify({ type: 'auth', api_key: key.key })); });
  const answer = await firstAnswer(socket);
  const ended = performance.now();
  world.history.attempts.push({
    route: 'WS /agents/ws', target: target.name, begun, ended, outcome: ended - begun >= DEADLINE_MS ? 'hung' : answer === null ? 'broken' : 'answered',
    status: answer?.status ?? null, ofProduct: answer?.ofProduct ?? false, retryAfter: true, requestId: '',
  });
  if (answer?.status === 401 || answer?.status === 101) {
    world.history.uses.push({ credential: key.name, target: target.name, begun, ended, accepted: answer.status === 101, requestId: '' });
  }
  if (answer?.status !== 101) return;
  const life: SocketLife = { credential: key.name, target: target.name, opened: ended, closed: null, code: null };
  world.history.sockets.push(life);
  world.sockets.add(socket);
  socket.on('close', (code) => {
    life.closed = performance.now();
    life.code = code;
    world.sockets.delete(socket);
  });
}

/** How the request for a socket was answered, as a status: 101 once the agent is in, 401 where its key was refused. */
function firstAnswer(socket: WebSocket): Promise<{ status: number; ofProduct: boolean } | null> {
  return new Promise((resolve) => {
    socket.on('message', (data) => {
      const { type } = JSON.parse((data as Buffer).toString()) as { type: string };
      resolve(type === 'auth_success' ? { status: 101, ofProduct: true } : null);
    });
    socket.on('unexpected-response', (_, response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, ofProduct: response.headers['content-type'] !== 'text/html' });
      socket.terminate();
    });
    // 1008: RFC 6455 §7.4.1, policy violation.
    socket.on('close', (code) => { resolve(code === 1008 ? { status: 401, ofProduct: true } : null); });
    setTimeout(() => { resolve(null); socket.terminate(); }, DEADLINE_MS).unref();
  });
}
