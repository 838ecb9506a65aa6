import type { FastifyInstance, FastifyReply, FastifyRequest, onResponseHookHandler } from 'fastify';
import type { Metrics, Sample } from './metrics.js';

const REQUESTS = { name: 'gatehouse_http_requests_total', help: 'Requests that were answered, by route and status.' } as const;
const DURATION = { name: 'gatehouse_http_request_duration_seconds', help: 'From the head of a request to the end of its answer, by route.' } as const;

/** Upper bounds in seconds: from a guarded request to a login that waited for its turn. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The label of what no route takes: the path is the caller's to choose. */
const UNKNOWN_ROUTE = 'unknown';
/** The label of methods that no route has. */
const OTHER_METHOD = 'other';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** How the requests to one route were answered: plain numbers, which nobody looks up by their labels. */
class RouteMeter {
  private readonly statuses = new Map<number, number>();
  private readonly buckets = BOUNDS.map(() => 0);
  private count = 0;
  private seconds = 0;

  constructor(private readonly labels: { method: string; route: string }) {}

  answered({ statusCode, elapsedTime }: FastifyReply): void {
    const seconds = elapsedTime / 1000;
    this.statuses.set(statusCode, (this.statuses.get(statusCode) ?? 0) + 1);
    this.count += 1;
    this.seconds += seconds;
    for (let at = 0; at < BOUNDS.length; at += 1) {
      if (seconds > (BOUNDS[at] ?? 0)) continue;
      this.buckets[at] = (this.buckets[at] ?? 0) + 1;
      return;
    }
  }

  requests(): Sample[] {
    return [...this.statuses].map(([status, value]) => ({ labels: { ...this.labels, status }, value }));
  }

  /** Each bucket holds what the ones before it hold too. */
  durations(): Sample[] {
    if (this.count === 0) return [];
    let sum = 0;
    const sample = (part: string, value: number, more = {}): Sample => ({ metricName: `${DURATION.name}_${part}`, labels: { ...more, ...this.labels }, value });
    return [
      ...BOUNDS.map((le, at) => sample('bucket', (sum += this.buckets[at] ?? 0), { le })),
      sample('bucket', this.count, { le: '+Inf' }),
      sample('sum', this.seconds),
      sample('count', this.count),
    ];
  }
}

/**
 * Counts and times every request by the pattern of its route. Each route gets a hook that holds its own meter, so that
 * an answer costs a few additions. Must be called before the routes are added.
 * @returns for requests that Fastify answers without its hooks: called when the answer has gone
 */
export function measureRequests(server: FastifyInstance, metrics: Metrics): (request: FastifyRequest, reply: FastifyReply) => void {
  const meters = new Map<string, RouteMeter>();
  const meterOf = (method: string, route: string): RouteMeter => {
    const key = `${method} ${route}`;
    let meter = meters.get(key);
    if (meter === undefined) meters.set(key, (meter = new RouteMeter({ method, route })));
    return meter;
  };
  const all = (samples: (meter: RouteMeter) => Sample[]): Sample[] => [...meters.values()].flatMap(samples);
  metrics.computed(REQUESTS, 'counter', () => all((meter) => meter.requests()));
  metrics.computed(DURATION, 'histogram', () => all((meter) => meter.durations()));

  const unknown = new Map([...METHODS, OTHER_METHOD].map((method) => [method, meterOf(method, UNKNOWN_ROUTE)]));
  const answeredUnknown = ({ method }: FastifyRequest, reply: FastifyReply): void => {
    (unknown.get(method) ?? unknown.get(OTHER_METHOD))?.answered(reply);
  };
  server.addHook('onRoute', (route) => {
    const own = new Map([route.method].flat().map((method) => [method, meterOf(method, route.url)]));
    const answered: onResponseHookHandler = (request, reply, done) => {
      own.get(request.method)?.answered(reply);
      done();
    };
    route.onResponse = [...[route.onResponse ?? []].flat(), answered];
  });
  // No route, no hook of its own.
  server.addHook('onResponse', (request, reply, done) => {
    if (request.is404) answeredUnknown(request, reply);
    done();
  });
  return answeredUnknown;
}
