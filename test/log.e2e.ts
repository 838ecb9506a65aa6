import { once } from 'node:events';
import { connect } from 'node:net';
import { eventually, send } from './support/client.js';
import { type Suite, startSuite } from './support/suite.js';

type Line = Record<string, unknown>;

/** The lines of a server's log; its banner is no line. */
const linesOf = (suite: Suite): Line[] =>
  suite.gatehouse.output().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);

const linesWith = (suite: Suite, requestId: string): Line[] => linesOf(suite).filter((line) => line['requestId'] === requestId);

describe('the log, where nobody reads it at a terminal', () => {
  let suite: Suite;
  beforeAll(async () => { suite = await startSuite(); });
  afterAll(() => suite.stop());

  it.each([
    ['GET /api/v1/config', {}, 200],
    ['GET /api/v1/auth/me?x=1', {}, 401],
    ['GET /no/such/route', {}, 404],
    ['POST /api/v1/auth/login', { raw: '{', headers: { 'content-type': 'application/json' } }, 400],
    ['POST /api/v1/auth/login', { raw: 'x', headers: { 'content-type': 'application/xml' } }, 415],
    ['POST /api/v1/auth/login', { json: { identifier: 'x', password: 'x'.repeat(1_100_000) } }, 413],
    ['GET /%zz', {}, 400],
    ['GET /docs', {}, 200],
  ])('has one JSON line for %s, with the id that the answer carries', async (target, options, expected) => {
    const [method = '', path = ''] = target.split(' ');
    const { status, headers, body } = await send(`${method} ${suite.gatehouse.url}${path}`, options);
    expect(status).toBe(expected);
    const requestId = headers.get('x-request-id') ?? '';
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    if (status >= 400) expect(body.requestId).toBe(requestId);
    await eventually(() => { expect(linesWith(suite, requestId)).toHaveLength(1); });
    const [line] = linesWith(suite, requestId);
    expect(line).toMatchObject({ level: 'info', method, status, path: path === '/%zz' ? '/…' : path.split('?')[0], msg: 'request', ipAddress: '127.0.0.1' });
    expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(line?.['durationMs']).toEqual(expect.any(Number));
  });

  it('takes over the id of the caller where it is harmless', async () => {
    for (const [given, kept] of [['trace-4711.a:b', true], ['x"y\\n{"level":"fatal"}', false], ['short', false], ['x'.repeat(129), false]] as const) {
      const { headers } = await suite.api.call('GET /config', { headers: { 'X-Request-Id': given } });
      expect(headers.get('x-request-id') === given).toBe(kept);
    }
  });

  describe('of a request that belongs to a trace', () => {
    const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
    const SPAN = '00f067aa0ba902b7';
    const traced = async (traceparent: string, path = '/config') => {
      const { headers } = await suite.api.call(`GET ${path}`, { headers: { traceparent, tracestate: 'vendor=secret-state' } });
      const requestId = headers.get('x-request-id') ?? '';
      await eventually(() => { expect(linesWith(suite, requestId).some(({ msg }) => msg === 'request')).toBe(true); });
      return { headers, lines: linesWith(suite, requestId) };
    };

    it.each([
      ['sampled', `00-${TRACE}-${SPAN}-01`],
      ['not sampled', `00-${TRACE}-${SPAN}-00`],
      ['of a version to come', `01-${TRACE}-${SPAN}-01`],
      ['of a version to come, with more in it', `cc-${TRACE}-${SPAN}-01-what-the-future-holds`],
    ])('names trace and span: %s', async (_, traceparent) => {
      const { headers, lines } = await traced(traceparent);
      expect(lines).toEqual([expect.objectContaining({ traceId: TRACE, parentSpanId: SPAN })]);
      expect([...headers.keys()].filter((name) => name.startsWith('trace'))).toEqual([]);
      expect(suite.gatehouse.output()).not.toContain('secret-state');
    });

    it.each([
      ['nothing', ''], ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`], ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
      ['the version that is none', `ff-${TRACE}-${SPAN}-01`], ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
      ['our version with more in it', `00-${TRACE}-${SPAN}-01-x`], ['a version to come that runs on', `01-${TRACE}-${SPAN}-01x`],
      ['too little', `00-${TRACE}-${SPAN}`], ['other characters', `00-${TRACE.replace('4', 'g')}-${SPAN}-01`],
      ['two of them', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`], ['a line of its own', `00-${TRACE}-${SPAN}-01","level":"fatal`],
    ])('ignores %s', async (_, traceparent) => {
      const { lines } = await traced(traceparent);
      expect(lines).toHaveLength(1);
      expect(Object.keys(lines[0]!)).toEqual(expect.not.arrayContaining(['traceId', 'parentSpanId']));
    });

    it('names it beside the fault, too', async () => {
      await suite.database.pool.query('ALTER TABLE users RENAME COLUMN role TO gone');
      const { lines } = await traced(`00-${TRACE}-${SPAN}-01`, '/auth/status');
      await suite.database.pool.query('ALTER TABLE users RENAME COLUMN gone TO role');
      expect(lines.map(({ msg, level, traceId, parentSpanId }) => [msg, level, traceId, parentSpanId])).toEqual([
        ['a request failed', 'error', TRACE, SPAN], ['request', 'info', TRACE, SPAN],
      ]);
    });
  });

  it('survives what is no HTTP at all', async () => {
    const { hostname, port } = new URL(suite.gatehouse.url);
    const socket = connect(Number(port), hostname);
    socket.end('GARBAGE\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    expect((await suite.api.call('GET /config')).status).toBe(200);
  });
});

it('LOG_FORMAT=pretty is for people, and the banner is on the same stream', async () => {
  const suite = await startSuite({ LOG_FORMAT: 'pretty' });
  const { headers } = await suite.api.call('GET /config');
  await eventually(() => { expect(suite.gatehouse.output()).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: request \{.*"path":"\/api\/v1\/config"/m); });
  expect(suite.gatehouse.output()).toContain(headers.get('x-request-id') ?? 'none');
  expect(linesOf(suite)).toEqual([]);
  await suite.stop();
});

it.each([['warn', 0, 0], ['debug', 1, 1], ['info', 1, 0]])('LOG_LEVEL=%s', async (level, requests, probes) => {
  const suite = await startSuite({ LOG_LEVEL: level, METRICS_PUBLIC: 'true' });
  await suite.api.call('GET /config');
  for (const probe of ['/health', '/health/ready', '/metrics']) await send(`GET ${suite.gatehouse.url}${probe}`);
  // What is no probe, and what is asked in vain.
  for (const other of ['/healthy', '/metrics/x']) await send(`GET ${suite.gatehouse.url}${other}`);
  await suite.stop();
  const paths = linesOf(suite).filter(({ msg }) => msg === 'request').map(({ path }) => path);
  expect(paths.filter((path) => path === '/api/v1/config')).toHaveLength(requests);
  for (const probe of ['/health', '/health/ready', '/metrics']) expect(paths.filter((path) => path === probe)).toHaveLength(probes);
  for (const other of ['/healthy', '/metrics/x']) expect(paths.filter((path) => path === other)).toHaveLength(requests);
});
