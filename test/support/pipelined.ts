import { connect } from 'node:net';
import type { Json } from './client.js';

/** A GET for `sendTogether`. */
export interface PipelinedRequest {
  readonly path: string;
  readonly headers: Record<string, string>;
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
    socket.write(requests.map(({ path, headers }, at) => {
      const all = { host: 'test', ...headers, ...(at === requests.length - 1 ? { connection: 'close' } : {}) };
      return `GET ${path} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    }).join(''));
  });
}
