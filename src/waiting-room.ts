import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { NativeApi, type Settings } from './config/index.js';
import { MountedDialects } from './dialects/index.js';
import { AuthError } from './errors/index.js';
import { liveness, UNREADY } from './health/index.js';
import { type ErrorAnswer, renderProblem, RETRY_WHEN_UNAVAILABLE, retryAfterOf } from './http/index.js';
import { listenError } from './start-error.js';

/** What listens while the server waits for its database. */
export interface WaitingRoom {
  /** Frees the port. */
  close(): Promise<void>;
}

/**
 * Listens where the server will, so that whoever watches it sees a process that is alive (`/health` 200) and not ready
 * (`/health/ready` 503), and callers are told to come again, in the form of the wire they use. With a port that is not
 * known beforehand there is nobody who could ask.
 * @throws StartError when the address cannot be listened on
 */
export async function openWaitingRoom(settings: Settings): Promise<WaitingRoom> {
  if (settings.port === 0) return { close: () => Promise.resolve() };
  const dialects = new MountedDialects(settings);
  const nativeApi = new NativeApi(dialects.nativePath);
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (path === '/health') answer(request, response, json(200, liveness(settings, nativeApi)));
    else if (path === '/health/ready') answer(request, response, unready());
    else answer(request, response, unavailable(dialects, path));
  });
  try {
    await once(server.listen(settings.port, settings.host), 'listening');
  } catch (error) {
    throw listenError(error, settings);
  }
  return { close: () => close(server) };
}

function json(status: number, body: unknown): ErrorAnswer {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body };
}

function unready(): ErrorAnswer {
  const answer = json(503, UNREADY);
  answer.headers['retry-after'] = String(RETRY_WHEN_UNAVAILABLE);
  return answer;
}

function unavailable(dialects: MountedDialects, path: string): ErrorAnswer {
  const error = new AuthError('unavailable', { detail: 'The server is starting and waits for its database.' });
  const answer = dialects.of(path)?.errors.render(error) ?? renderProblem(error, { path, requestId: randomUUID() });
  answer.headers['retry-after'] = String(retryAfterOf(error));
  return answer;
}

function answer(request: IncomingMessage, response: ServerResponse, { status, headers, body }: ErrorAnswer): void {
  request.resume();
  // Nobody stays: the next request may be for the server itself.
  response.writeHead(status, { ...headers, 'cache-control': 'no-store', connection: 'close' });
  response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const late = setTimeout(() => { server.closeAllConnections(); }, 100).unref();
  await closed;
  clearTimeout(late);
}
