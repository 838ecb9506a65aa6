import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Json } from '../support/client.js';
import type { Attempt, History } from './history.js';
import type { Random } from './random.js';

/** Longer than anything that works may take: a login that waits its turn, an instance that is being frozen. */
const DEADLINE_MS = 10_000;
/** How many of the requests that may be lost are. */
const LOSS = 0.04;
const LONGEST_LOSS_MS = 25;

/** Somebody who answers the API: the proxy, or an instance itself. */
export interface Target {
  readonly name: string;
  readonly port: number;
}

/** What a request carries. */
export interface Cargo {
  token?: string | undefined;
  apiKey?: string | undefined;
  cookie?: string | undefined;
  json?: unknown;
  /** Now and then the client hangs up before it has read the answer. */
  mayBeLost?: boolean;
}

/** What came of a request, with what the answer held. */
export interface Reply extends Attempt {
  readonly body: Json;
  readonly headers: IncomingMessage['headers'];
}

/** Sends requests over connections that are kept, each with a deadline, and writes down what came of them. */
export class Wire {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 256 });
  private readonly underWay = new Set<() => void>();

  /** @param random where clients go, and which answers get lost */
  constructor(
    readonly proxy: Target,
    readonly instances: readonly Target[],
    private readonly history: History,
    private readonly random: Random,
  ) {}

  get targets(): readonly Target[] {
    return [this.proxy, ...this.instances];
  }

  /** Where an ordinary client goes: mostly to the proxy. */
  anywhere(): Target {
    return this.random.chance(0.7) ? this.proxy : this.random.pick(this.instances);
  }

  /** Cuts every connection on which an answer is awaited. */
  cutAll(): void {
    for (const hangUp of this.underWay) hangUp();
  }

  close(): void {
    this.agent.destroy();
  }

  /** Sends one request, `METHOD /path` below the native API, and waits until it has been answered or is lost. Never rejects. */
  send(target: Target, line: string, cargo: Cargo = {}): Promise<Reply> {
    return new Promise((resolve) => {
      const begun = performance.now();
      const [method = 'GET', path = ''] = line.split(' ');
      const outgoing = request({ host: '127.0.0.1', port: target.port, method, path: `/api/v1${path}`, headers: headersOf(cargo), agent: this.agent });
      const settle = (outcome: Attempt['outcome'], answer: IncomingMessage | null = null, text = ''): void => {
        if (!this.underWay.delete(hangUp)) return;
        clearTimeout(timer);
        const attempt = { route: `${method} ${path.replaceAll(UUID, ':id')}`, target: target.name, begun, ended: performance.now(), outcome, ...readHead(answer) };
        this.history.attempts.push(attempt);
        resolve({ ...attempt, headers: answer?.headers ?? {}, body: readBody(answer, text) });
      };
      const hangUp = (): void => {
        settle('lost');
        outgoing.destroy();
      };
      const timer = setTimeout(() => { settle('hung'); outgoing.destroy(); }, DEADLINE_MS);
      this.underWay.add(hangUp);
      outgoing.on('error', () => { settle('broken'); });
      outgoing.on('response', (incoming: IncomingMessage) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
        incoming.on('error', () => { settle('broken'); });
        incoming.on('end', () => { settle('answered', incoming, text); });
      });
      if (cargo.mayBeLost === true && this.random.chance(LOSS)) this.lose(outgoing, hangUp);
      outgoing.end(cargo.json === undefined ? undefined : JSON.stringify(cargo.json));
    });
  }

  /** Hangs up a moment after the request has been sent, or when its answer arrives. */
  private lose(outgoing: ClientRequest, hangUp: () => void): void {
    if (this.random.chance(0.5)) outgoing.on('response', hangUp);
    else outgoing.on('finish', () => setTimeout(hangUp, this.random.between(0, LONGEST_LOSS_MS)));
  }
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function headersOf({ token, apiKey, cookie, json }: Cargo): Record<string, string> {
  return {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
    ...(cookie === undefined ? {} : { cookie }),
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

function readHead(answer: IncomingMessage | null): Pick<Attempt, 'status' | 'ofProduct' | 'retryAfter' | 'requestId'> {
  const requestId = answer?.headers['x-request-id'];
  return {
    status: answer?.statusCode ?? null,
    // The proxy's own error pages are the only HTML here.
    ofProduct: answer !== null && answer.headers['content-type'] !== 'text/html',
    retryAfter: answer?.headers['retry-after'] !== undefined,
    requestId: typeof requestId === 'string' ? requestId : '',
  };
}

function readBody(answer: IncomingMessage | null, text: string): Json {
  return (answer?.headers['content-type'] ?? '').includes('json') && text !== '' ? JSON.parse(text) : text;
}
