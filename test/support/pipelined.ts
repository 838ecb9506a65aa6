import { connect } from 'node:net';
import type { Json } from './client.js';

/** For `sendTogether`: a GET, or a POST where there is something to send. */
export interface PipelinedRequest {
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
}

/**
 * Sends requests as one piece on one connection (RFC 9112 §9.3.2), so that the server reads them in one turn of its event
 * loop, and reads their answers, which come in the same order.
 */
export function sendTogether(origin: string, requests: readonly PipelinedRequest[]): Promise<{ status: number; body: Json }[]> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('error', reject).on('end', () => {
      resolve(text.split(/(?=HTTP\/1\.1 \d)/).map((answer) => ({
        status: Number(answer.slice(9, 12)),
        body: JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)),
      })));
    });
    socket.write(requests.map(({ path, headers, json }, at) => {
      const body = json === undefined ? '' : JSON.stringify(json);
      const described = json === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
      const all = { host: 'test', ...headers, ...described, ...(at === requests.length - 1 ? { connection: 'close' } : {}) };
      const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('');
      return `${json === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\n${fields}\r\n${body}`;
    }).join(''));
  });
}
