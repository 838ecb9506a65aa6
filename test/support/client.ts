import type { Gatehouse } from './gatehouse.js';

/** An answer, read to its end. */
export interface Answer<Body = never> {
  status: number;
  headers: Headers;
  body: Body;
}

/** What a request carries. */
export interface RequestOptions {
  token?: string;
  apiKey?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as a form. */
  form?: Record<string, string>;
  /** Sent as it is. */
  raw?: string;
}

/** Any JSON that an answer may hold; suites read the fields that they expect. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the shape of an answer is what a test finds out
export type Json = any;

/** Sends one request; `target` is `METHOD url`. */
export async function send(target: string, options: RequestOptions = {}): Promise<Answer<Json>> {
  const [method = 'GET', url = ''] = target.split(' ');
  const headers: Record<string, string> = { ...options.headers };
  if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`;
  if (options.apiKey !== undefined) headers['x-api-key'] = options.apiKey;
  if (options.json !== undefined) headers['content-type'] ??= 'application/json';
  if (options.form !== undefined) headers['content-type'] ??= 'application/x-www-form-urlencoded';
  const body =
    options.json !== undefined ? JSON.stringify(options.json)
    : options.form !== undefined ? new URLSearchParams(options.form).toString()
    : options.raw;
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return { status: response.status, headers: response.headers, body: (isJson && text !== '' ? JSON.parse(text) : text) };
}

/** The native API of one process, with the requests that every suite makes. */
export class Api {
  constructor(readonly gatehouse: Gatehouse) {}

  /** Sends a request to the native API: `get('/auth/me')` style targets, e.g. `call('GET /auth/me')`. */
  call(target: string, options: RequestOptions = {}): Promise<Answer<Json>> {
    const [method = 'GET', path = ''] = target.split(' ');
    return send(`${method} ${this.gatehouse.api}${path}`, options);
  }

  /** Signs in, and fails the test if that fails. */
  async login(identifier: string, password: string, more: object = {}): Promise<{ accessToken: string; refreshToken: string; user: Json }> {
    const { status, body } = await this.call('POST /auth/login', { json: { identifier, password, ...more } });
    if (status !== 200) throw new Error(`login answered ${String(status)}: ${JSON.stringify(body)}`);
    return body as { accessToken: string; refreshToken: string; user: Json };
  }

  /** Makes an API key, and fails the test if that fails. */
  async createKey(token: string, scopes: string[], more: object = {}): Promise<Json> {
    const { status, body } = await this.call('POST /api-keys', { token, json: { name: 'test', scopes, ...more } });
    if (status !== 201) throw new Error(`making a key answered ${String(status)}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Makes a user as an administrator, and fails the test if that fails. */
  async createUser(token: string, user: { email?: string; username?: string; password: string; role?: string; name?: string }): Promise<Json> {
    const { status, body } = await this.call('POST /users', { token, json: user });
    if (status !== 201) throw new Error(`making a user answered ${String(status)}: ${JSON.stringify(body)}`);
    return body;
  }
}

/** Waits until something holds, looking again and again; fails with the last reason. */
export async function eventually(check: () => Promise<void> | void, withinMs = 10_000): Promise<void> {
  const end = Date.now() + withinMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
