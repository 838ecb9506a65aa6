import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { answerUnreadable } from '../src/http/index.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { WITH_OWNER } from './support/suite.js';

const LOGIN = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

describe('requests that are none, or never end', () => {
  let database: TestDatabase;
  let gatehouse: Gatehouse;

  beforeAll(async () => {
    database = await createDatabase();
    gatehouse = await startGatehouse({ env: { ...WITH_OWNER, DATABASE_URL: database.url, REQUEST_TIMEOUT: '1s' } });
  });
  afterAll(async () => {
    await gatehouse.stop();
    await database.drop();
  });

  /** Sends this and no more, and reads until the server closes the connection. */
  async function answerTo(text: string): Promise<string> {
    const socket = connect({ port: Number(new URL(gatehouse.url).port), host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => { answer += chunk; });
    socket.write(text);
    await once(socket, 'end');
    socket.destroy();
    return answer;
  }

  function problemIn(answer: string): unknown {
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 \d{3} /);
    expect(head.toLowerCase()).toMatch(/\r\nconnection: close\r\n[\s\S]*\r\ncontent-type: application\/problem\+json/);
    const problem = JSON.parse(body) as { status: number };
    expect(head).toContain(` ${String(problem.status)} `);
    return problem;
  }

  it.each([
    ['what is not HTTP', 'HELO mail.example.com\r\n\r\n', 400, 'bad_request'],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n', 400, 'bad_request'],
    ['two lengths of one body', `${LOGIN}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400, 'bad_request'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n`, 431, 'request_header_fields_too_large'],
    ['headers that do not arrive', 'GET / HTTP/1.1\r\nHost: x\r\n', 408, 'request_timeout'],
    ['a body that does not arrive', `${LOGIN}Content-Length: 50\r\n\r\n{"email":`, 408, 'request_timeout'],
    ['a chunk that does not arrive', `${LOGIN}Transfer-Encoding: chunked\r\n\r\n5\r\n{"e`, 408, 'request_timeout'],
    ['the rest of a body that is too large', `${LOGIN}Content-Length: 2000000\r\n\r\n{"email":`, 408, 'request_timeout'],
  ])('answers %s, and closes the connection', async (_name, text, status, code) => {
    expect(problemIn(await answerTo(text))).toEqual({ type: 'about:blank', title: expect.any(String) as string, status, code });
  });

  it('lets a connection rest between requests that arrive', async () => {
    const request = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
    const socket = connect(Number(new URL(gatehouse.url).port), '127.0.0.1');
    let answers = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => { answers += chunk; });
    socket.write(request);
    await once(socket, 'data');
    // Another one takes longer than any may: what rests has been looked at by then.
    await answerTo(`${LOGIN}Content-Length: 50\r\n\r\n`);
    socket.write(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await once(socket, 'close');
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });

  it('does not come into the middle of an answer that is under way', async () => {
    const server = createServer((_request, response) => { response.write('begun'); }).on('clientError', answerUnreadable).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => { answer += chunk; });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    socket.write('and no HTTP any more\r\n\r\n');
    await once(socket, 'close');
    server.close();
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nbegun\r\n$/);
  });

  it('serves everybody else, and takes none of it for a fault of its own', async () => {
    expect((await fetch(`${gatehouse.url}/health`)).status).toBe(200);
    expect(gatehouse.output()).not.toMatch(/"level":"?(error|fatal|50|60)|ERROR|internal_error/);
  });
});
