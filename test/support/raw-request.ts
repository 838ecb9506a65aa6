import { request } from 'node:http';
import type { Answer, Json } from './client.js';

/** A request with whatever headers, also those that fetch does not let one set (`Host`). */
export function rawRequest(target: string, headers: Record<string, string> = {}, body = ''): Promise<Answer<Json>> {
  const [method = 'GET', url = ''] = target.split(' ');
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('end', () => {
        const isJson = (incoming.headers['content-type'] ?? '').includes('json');
        const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
        resolve({ status: incoming.statusCode ?? 0, headers: new Headers(headers), body: isJson ? JSON.parse(text) : text });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
