import { once } from 'node:events';
import { request } from 'node:http';

/** What became of a request: its status, or the code of the error of its connection. */
export interface Outcome {
  status: number | string;
  retryAfter: string | undefined;
  requestId: string | undefined;
}

/**
 * A login on a connection of its own, which tells how it was answered, and when the server has taken it on: it says
 * `100 Continue` once it has read the headers (RFC 9110 §10.1.1).
 */
export function sendLogin(api: string, identifier: string, password: string): { taken: Promise<void>; outcome: Promise<Outcome> } {
  const headers = { 'content-type': 'application/json', expect: '100-continue' };
  const outgoing = request(`${api}/auth/login`, { method: 'POST', agent: false, headers });
  const outcome = new Promise<Outcome>((resolve) => {
    outgoing.once('error', (error: NodeJS.ErrnoException) => { resolve({ status: error.code ?? error.message, retryAfter: undefined, requestId: undefined }); });
    outgoing.once('response', (answer) => {
      const { 'retry-after': retryAfter, 'x-request-id': requestId } = answer.headers;
      answer.resume().once('end', () => { resolve({ status: answer.statusCode ?? 0, retryAfter, requestId: String(requestId) }); });
    });
  });
  const taken = once(outgoing, 'continue').then(() => { outgoing.end(JSON.stringify({ identifier, password })); });
  outgoing.flushHeaders();
  return { taken, outcome };
}
