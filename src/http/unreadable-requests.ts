import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { codeOf, PROBLEM_MEDIA_TYPE } from './problem.js';

/** Who does not read the answer either loses the connection all the same. */
const LONGEST_GOODBYE_MS = 2_000;

/** The parser's faults that are not simply a bad request. */
const STATUS: Record<string, number> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431, HPE_CHUNK_EXTENSIONS_OVERFLOW: 413 };

/**
 * Answers what is not HTTP, or not all of it in time, and closes the connection. No path is known, and so no route and no
 * dialect either: the answer is one of the native API's, which says no more than its status (RFC 9457 §4.2.1).
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  // Nobody is there to read it.
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  // It would come into the middle of another answer.
  if (answerOn(socket)?.headersSent === true) {
    socket.destroy();
    return;
  }
  if (socket.writable) {
    const status = STATUS[error.code ?? ''] ?? 400;
    const title = STATUS_CODES[status] ?? 'Error';
    const body = JSON.stringify({ type: 'about:blank', title, status, code: codeOf(title) });
    const fields = ['Connection: close', 'Cache-Control: no-store', `Content-Type: ${PROBLEM_MEDIA_TYPE}`, `Content-Length: ${String(body.length)}`];
    socket.write(`HTTP/1.1 ${String(status)} ${title}\r\n${fields.join('\r\n')}\r\n\r\n${body}`);
  }
  setTimeout(() => { socket.destroy(); }, LONGEST_GOODBYE_MS).unref();
  socket.destroySoon();
}

/** The answer that is under way, which Node keeps to itself. */
function answerOn(socket: Socket): ServerResponse | undefined {
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}
