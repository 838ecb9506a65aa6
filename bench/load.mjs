// The load: as many connections as asked for, each sending its next request when the last one is answered. A process of
// its own, so that it can have a core of its own. It writes bytes that were made before and reads no more of an answer
// than it must, since a client that does more is slower than the servers it measures.
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

/** Milliseconds of processor time that a process has used, all its threads together; `null` where there is no /proc. */
function cpuMilliseconds(pid) {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]) / 1e6, 0);
  } catch {
    return null;
  }
}

const REFRESH_TOKEN = /"refreshToken":"([^"]+)"/;

function requestBytes({ method = 'GET', path, headers = {}, body = '' }, port) {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  if (body !== '') lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** What one connection sends: the same again and again, one request of a list after the other, or what the last answer said. */
function sourceOf(job, index, list) {
  if (job.kind === 'refresh') {
    let body = JSON.stringify({ refreshToken: job.tokens[index % job.tokens.length] });
    return {
      next: () => requestBytes({ method: 'POST', path: job.path, body }, job.port),
      answered: (text) => {
        job.tokens[index % job.tokens.length] = REFRESH_TOKEN.exec(text)[1];
        body = JSON.stringify({ refreshToken: job.tokens[index % job.tokens.length] });
      },
    };
  }
  if (job.kind === 'once') return { next: () => list.next().value, answered: null };
  const bytes = requestBytes(job.requests[index % job.requests.length], job.port);
  return { next: () => bytes, answered: null };
}

/** Length of a whole answer at the beginning of a buffer; 0 when it is not all there yet. */
function answerLength(buffer) {
  const end = buffer.indexOf('\r\n\r\n');
  if (end === -1) return 0;
  const head = buffer.latin1Slice(0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (length !== null) {
    const total = end + 4 + Number(length[1]);
    return buffer.length >= total ? total : 0;
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return end + 4;
  const last = buffer.indexOf('0\r\n\r\n', end + 2);
  return last === -1 ? 0 : last + 5;
}

async function measure(job) {
  const { port, connections, milliseconds, expected = 200, pid } = job;
  const list = job.kind === 'once' ? job.requests.map((request) => requestBytes(request, port)).values() : null;
  const latencies = [];
  const wrong = new Map();
  let stopped = false;
  let cpuBefore = null;
  let cpuAfter = null;
  let begin = 0;
  let end = 0;
  let first = 0;
  let last = 0;

  const finish = () => {
    if (stopped) return;
    stopped = true;
    end = performance.now();
    cpuAfter = cpuMilliseconds(pid);
  };

  const run = (index) =>
    new Promise((resolve, reject) => {
      const source = sourceOf(job, index, list);
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let sentAt = 0;
      let rest = null;
      const send = () => {
        const bytes = stopped ? undefined : source.next();
        if (bytes === undefined) {
          finish();
          socket.destroy();
          resolve();
          return;
        }
        sentAt = performance.now();
        socket.write(bytes);
      };
      socket.on('connect', () => waitForAll(send));
      socket.on('data', (chunk) => {
        const buffer = rest === null ? chunk : Buffer.concat([rest, chunk]);
        const length = answerLength(buffer);
        if (length === 0) {
          rest = buffer;
          return;
        }
        rest = null;
        if (!stopped) {
          last = performance.now();
          if (first === 0) first = last;
          latencies.push(last - sentAt);
        }
        const status = buffer.latin1Slice(9, 12);
        if (status !== String(expected)) wrong.set(status, (wrong.get(status) ?? 0) + 1);
        else source.answered?.(buffer.latin1Slice(0, length));
        send();
      });
      socket.on('error', reject);
      socket.on('close', () => (stopped ? resolve() : reject(new Error('the server closed a connection'))));
    });

  // All connections are there before the first request is sent.
  let open = 0;
  const waiting = [];
  const waitForAll = (send) => {
    waiting.push(send);
    open += 1;
    if (open < connections) return;
    cpuBefore = cpuMilliseconds(pid);
    begin = performance.now();
    setTimeout(finish, milliseconds);
    for (const start of waiting) start();
  };
  await Promise.all(Array.from({ length: connections }, (_, index) => run(index)));
  if (wrong.size > 0) throw new Error(`${job.name}: answered ${[...wrong].map(([status, count]) => `${status} (${count} times)`).join(', ')}`);

  latencies.sort((a, b) => a - b);
  const requests = latencies.length;
  const seconds = (end - begin) / 1000;
  const cpuMs = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore;
  return {
    requests,
    perSecond: requests / seconds,
    /** From the first answer to the last: where there are few, what was under way at the ends counts. */
    steadyPerSecond: requests > 1 ? ((requests - 1) * 1000) / (last - first) : 0,
    /** Microseconds of the server's processor a request, all its threads together. */
    cpuMicros: cpuMs === null ? null : (cpuMs * 1000) / requests,
    /** How much of its core the server had to do. */
    busy: cpuMs === null ? null : cpuMs / (end - begin),
    p50: latencies[Math.floor(requests * 0.5)],
    p99: latencies[Math.floor(requests * 0.99)],
    tokens: job.tokens,
  };
}

process.on('message', (job) => {
  measure(job).then(
    (result) => process.send({ result }),
    (error) => process.send({ error: error.message }),
  );
});
