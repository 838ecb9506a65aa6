import fastify, { type FastifyInstance } from 'fastify';
import { AggregatorRegistry } from 'prom-client';
import { measureRequests, Metrics } from '../src/metrics/index.js';
import { Scrape } from './support/scrape.js';

const TOTAL = 'gatehouse_http_requests_total';
const DURATION = 'gatehouse_http_request_duration_seconds';

/** A server whose requests are measured. */
function measured(): { server: FastifyInstance; metrics: Metrics; read: () => Promise<Scrape> } {
  const metrics = new Metrics();
  const server = fastify();
  measureRequests(server, metrics);
  server.get('/users/:id', (request, reply) => reply.status(request.headers['x-status'] === undefined ? 200 : 409).send('x'));
  server.route({ method: ['PUT', 'PATCH'], url: '/both', handler: (_, reply) => reply.send() });
  server.register((child, _, done) => {
    child.get('/', (__, reply) => reply.send('x'));
    done();
  }, { prefix: '/child' });
  server.get('/broken', () => { throw new Error('broken'); });
  return { server, metrics, read: async () => new Scrape(await metrics.registry.metrics()) };
}

/** How many requests there were, by method, route and status. */
const counted = (scrape: Scrape): Record<string, number> =>
  Object.fromEntries(scrape.samples.filter(({ name }) => name === TOTAL).map(({ labels, value }) => [`${labels['method']!} ${labels['route']!} ${labels['status']!}`, value]));

describe('requests', () => {
  it('are counted once each, by the pattern of their route', async () => {
    const { server, read } = measured();
    for (const url of ['/users/1', '/users/2?x=3', '/users/a%20b', '/child', '/child/', '/broken']) await server.inject(url);
    await server.inject({ url: '/users/3', headers: { 'x-status': 'x' } });
    await server.inject({ method: 'HEAD', url: '/users/4' });
    for (const method of ['PUT', 'PATCH'] as const) await server.inject({ method, url: '/both' });
    expect(counted(await read())).toEqual({
      'GET /users/:id 200': 3, 'GET /users/:id 409': 1, 'HEAD /users/:id 200': 1, 'PUT /both 200': 1, 'PATCH /both 200': 1,
      'GET /child 200': 2, 'GET /broken 500': 1,
    });
  });

  it('are one route where there is none, with a method that callers cannot choose', async () => {
    const { server, read } = measured();
    for (const url of ['/x', '/y/z', '/users', '/Users/1']) await server.inject(url);
    await server.inject({ method: 'DELETE', url: '/users/1' });
    await server.inject({ method: 'PROPFIND' as 'GET', url: '/users/1' });
    expect(counted(await read())).toEqual({ 'GET unknown 404': 4, 'DELETE unknown 404': 1, 'other unknown 404': 1 });
  });

  it('are timed in buckets that hold the shorter ones too', async () => {
    const { server, read } = measured();
    server.get('/slow', async (_, reply) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return reply.send();
    });
    const sent = performance.now();
    await server.inject('/slow');
    const took = (performance.now() - sent) / 1000;
    const scrape = await read();
    const buckets = scrape.samples.filter(({ name, labels }) => name === `${DURATION}_bucket` && labels['route'] === '/slow');
    for (const { labels, value } of buckets) {
      const le = Number(labels['le']!.replace('+Inf', 'Infinity'));
      if (le < 0.055) expect({ le, value }).toEqual({ le, value: 0 });
      if (le >= took) expect({ le, value }).toEqual({ le, value: 1 });
    }
    expect(buckets.map(({ labels }) => labels['le'])).toEqual(expect.arrayContaining(['0.05', '0.5', '10', '+Inf']));
    const sum = scrape.value(`${DURATION}_sum`, { route: '/slow' });
    expect([sum > 0.055, sum <= took, scrape.value(`${DURATION}_count`, { route: '/slow' })]).toEqual([true, true, 1]);
  });
});

it('several applications in one process keep their numbers apart', async () => {
  const [one, other] = [measured(), measured()];
  await one.server.inject('/users/1');
  expect(counted(await one.read())).toEqual({ 'GET /users/:id 200': 1 });
  expect(counted(await other.read())).toEqual({});
});

it('the numbers of several processes can be sent and added up', async () => {
  const workers = [measured(), measured()];
  for (const [at, { server, metrics }] of workers.entries()) {
    for (let n = 0; n <= at; n += 1) await server.inject('/users/1');
    metrics.tally({ name: 'gatehouse_test_total', help: 'x' }, 'result', ['good', 'bad']).good += 10;
    metrics.gauge({ name: 'gatehouse_test', help: 'x' }, () => 5);
    metrics.gauge({ name: 'gatehouse_test_lowest', help: 'x' }, () => at, 'min');
    metrics.histogram({ name: 'gatehouse_test_seconds', help: 'x' }, [1, 2]).observe(1.5);
  }
  const sent = await Promise.all(workers.map(async ({ metrics }) => JSON.parse(JSON.stringify(await metrics.registry.getMetricsAsJSON())) as object));
  const scrape = new Scrape(await AggregatorRegistry.aggregate(sent).metrics());
  expect(counted(scrape)).toEqual({ 'GET /users/:id 200': 3 });
  const route = { route: '/users/:id' };
  expect([scrape.value(`${DURATION}_count`, route), scrape.value(`${DURATION}_bucket`, { ...route, le: '+Inf' })]).toEqual([3, 3]);
  expect(['good', 'bad'].map((result) => scrape.value('gatehouse_test_total', { result }))).toEqual([20, 0]);
  expect(['gatehouse_test', 'gatehouse_test_lowest', 'gatehouse_build_info'].map((name) => scrape.value(name))).toEqual([10, 0, 1]);
  expect(['1', '2', '+Inf'].map((le) => scrape.value('gatehouse_test_seconds_bucket', { le }))).toEqual([0, 2, 2]);
  expect(scrape.types.get(DURATION)).toBe('histogram');
});
