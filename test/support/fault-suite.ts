import { type Answer, Api, eventually, type Json, type RequestOptions, send } from './client.js';
import { type Gatehouse, startGatehouse } from './gatehouse.js';
import { type OwnPostgres, startPostgres } from './postgres.js';
import { OWNER, WITH_OWNER } from './suite.js';
import { openProxy, type TcpProxy } from './tcp-proxy.js';

export const POOL_SIZE = 4;
/** The promise is two seconds. A machine that has other things to do gets more, but less than waiting twice would take. */
export const WITHIN_MS = 3_200;
export const CREDENTIALS = { identifier: OWNER.email, password: OWNER.password };

/** An answer, and how many milliseconds it took. */
export interface Timed {
  route: string;
  answer: Answer<Json>;
  took: number;
}

/** A server that speaks a dialect beside the native API, and a PostgreSQL that bad things may be done to. */
export interface FaultSuite {
  readonly postgres: OwnPostgres;
  /** What is between the two. */
  readonly proxy: TcpProxy;
  readonly gatehouse: Gatehouse;
  readonly api: Api;
  /** The owner's. */
  readonly token: string;
  readonly apiKey: string;
  /** Sends a request to the native API. */
  readonly call: (route: string, options: RequestOptions) => Promise<Timed>;
  /** Two requests to the dialect: one that is guarded, and a login. */
  readonly callDialect: () => Promise<Timed>[];
  /** The states of the server's connections to PostgreSQL. */
  readonly connections: () => Promise<string[]>;
  /** Ends all of them, whatever they are at. */
  readonly cutAll: () => Promise<void>;
  /** Everything works again by itself, and no connection was left behind. */
  readonly expectRecovered: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startFaultSuite(): Promise<FaultSuite> {
  const postgres = await startPostgres();
  const proxy = await openProxy(postgres.url());
  const env = { ...WITH_OWNER, DATABASE_URL: proxy.url, DATABASE_POOL_SIZE: String(POOL_SIZE), DIALECTS: 'mosbot', REGISTRATION: 'open', LOCKOUT_ATTEMPTS: '100' };
  const gatehouse = await startGatehouse({ env });
  const api = new Api(gatehouse);
  const token = (await api.login(OWNER.email, OWNER.password)).accessToken;
  const { key: apiKey } = (await api.createKey(token, ['users:read'])) as { key: string };

  const call = (route: string, options: RequestOptions): Promise<Timed> => timed(route, api.call(route, options));
  const callDialect = (): Promise<Timed>[] => [
    timed('dialect: me', send(`GET ${gatehouse.url}/api/v1/auth/me`, { token })),
    timed('dialect: login', send(`POST ${gatehouse.url}/api/v1/auth/login`, { json: { email: OWNER.email, password: OWNER.password } })),
  ];
  const connections = async (): Promise<string[]> => {
    const { rows } = await postgres.pool.query<{ state: string }>(
      "SELECT state FROM pg_stat_activity WHERE application_name = 'gatehouse' AND datname = current_database()",
    );
    return rows.map(({ state }) => state);
  };
  return {
    postgres, proxy, gatehouse, api, token, apiKey, call, callDialect, connections,
    cutAll: async () => {
      await postgres.pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatehouse'");
    },
    expectRecovered: async () => {
      await eventually(async () => { expect((await send(`GET ${gatehouse.url}/health/ready`)).status).toBe(200); });
      const requests = [call('GET /auth/me', { token }), call('POST /auth/login', { json: CREDENTIALS }), ...callDialect()];
      for (const { route, answer } of await Promise.all(requests)) expect([route, answer.status]).toEqual([route, 200]);
      await eventually(async () => {
        const states = await connections();
        expect(states.length).toBeLessThanOrEqual(POOL_SIZE);
        expect(new Set(states)).toEqual(new Set(['idle']));
      });
    },
    stop: async () => {
      postgres.thaw();
      const code = await gatehouse.stop();
      await proxy.cut();
      await postgres.stop();
      expect([code, /nothing caught|Unhandled/.exec(gatehouse.output())]).toEqual([0, null]);
    },
  };
}

/** Waits for an answer and says how long it took. */
export async function timed(route: string, request: Promise<Answer<Json>>): Promise<Timed> {
  const since = performance.now();
  const answer = await request;
  return { route, answer, took: performance.now() - since };
}

/** 503 in time, in the form of its wire, with `Retry-After`. */
export function expectUnavailable({ route, answer: { status, headers, body }, took }: Timed): void {
  expect([route, status]).toEqual([route, 503]);
  expect(headers.get('retry-after')).toMatch(/^\d+$/);
  if (route.startsWith('dialect')) expect(body).toEqual({ error: { message: 'Service unavailable, please try again shortly', status: 503 } });
  else expect([headers.get('content-type')?.split(';')[0], body.code]).toEqual(['application/problem+json', 'unavailable']);
  if (took >= WITHIN_MS) throw new Error(`${route} took ${took.toFixed()} ms`);
}
