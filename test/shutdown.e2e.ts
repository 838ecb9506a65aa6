import { once } from 'node:events';
import { Agent as HttpAgent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { eventually, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, launch, startGatehouse } from './support/gatehouse.js';
import { sendLogin } from './support/raw-login.js';
import { OWNER, WITH_OWNER } from './support/suite.js';
import { openProxy } from './support/tcp-proxy.js';

/** What an orchestrator allows before it kills. */
const PROMISED_MS = 10_000;

let database: TestDatabase;
let gatehouse: Gatehouse;

beforeAll(async () => { database = await createDatabase(); });
afterEach(() => gatehouse.stop('SIGKILL'));
afterAll(() => database.drop());

async function start(env: Record<string, string> = {}): Promise<void> {
  gatehouse = await startGatehouse({ env: { DATABASE_URL: database.url, ...WITH_OWNER, ...env } });
}

/** Signals, and measures how long it takes to the end. */
async function stopped(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; ms: number }> {
  const since = performance.now();
  const code = await gatehouse.stop(signal);
  return { code, ms: performance.now() - since };
}

/** A connection of one's own, on which bytes are sent as one likes. */
async function rawConnection(host?: string): Promise<{ socket: Socket; answer: Promise<string> }> {
  const { hostname, port } = new URL(gatehouse.url);
  const socket = connect(Number(port), host ?? hostname);
  await once(socket, 'connect');
  const answer = text(socket).catch((error: unknown) => `cut: ${String(error)}`);
  return { socket, answer };
}

const LOGIN = JSON.stringify({ identifier: OWNER.email, password: OWNER.password });
const LOGIN_HEAD = `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${String(LOGIN.length)}\r\n\r\n`;

describe('after SIGTERM', () => {
  it('the server is not ready, but open to everybody until SHUTDOWN_DELAY is over, and sends connections away', async () => {
    await start({ SHUTDOWN_DELAY: '2s' });
    // A load balancer: connections that are kept, and no request any more once the instance says that it is not ready.
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 8 });
    const seen: { status: number | undefined; close: boolean }[] = [];
    const failures: unknown[] = [];
    let isReady = true;
    const balance = async (): Promise<void> => {
      while (isReady) {
        await new Promise<void>((resolve) => {
          get(`${gatehouse.url}/api/v1/config`, { agent }, (answer: IncomingMessage) => {
            seen.push({ status: answer.statusCode, close: answer.headers.connection === 'close' });
            answer.resume().once('end', resolve);
          }).once('error', (error) => { failures.push(error); resolve(); });
        });
      }
    };
    const load = Promise.all(Array.from({ length: 8 }, balance));
    await eventually(() => { expect(seen.length).toBeGreaterThan(50); });

    const stopping = stopped();
    await eventually(async () => {
      const { status, body, headers } = await send(`GET ${gatehouse.url}/health/ready`);
      expect([status, body.status, body.checks.database, headers.has('retry-after')]).toEqual([503, 'stopping', 'up', true]);
    });
    expect((await send(`GET ${gatehouse.url}/health`)).status).toBe(200);
    expect(await sendLogin(gatehouse.api, OWNER.email, OWNER.password).outcome).toMatchObject({ status: 200 });
    // Until it has looked at the instance again, the load goes on.
    await eventually(() => { expect(seen.filter(({ close }) => close).length).toBeGreaterThan(20); });
    isReady = false;
    await load;
    const { code, ms } = await stopping;
    expect(code).toBe(0);
    expect(ms).toBeGreaterThan(2_000);
    expect(failures).toEqual([]);
    expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
    // Everything but what was under way at the signal.
    expect(seen.slice(0, 50).filter(({ close }) => close)).toEqual([]);
    expect(seen.slice(-20).filter(({ close }) => !close)).toEqual([]);
    agent.destroy();
  });

  it('a storm of logins is answered: those in time with what they asked for, the others with when to come again', async () => {
    await start({ BCRYPT_COST: '12' });
    const logins = Array.from({ length: 100 }, (_, n) => sendLogin(gatehouse.api, `nobody-${String(n)}`, 'a wrong password'));
    await Promise.all(logins.map(({ taken }) => taken));
    const { code, ms } = await stopped();
    const outcomes = await Promise.all(logins.map(({ outcome }) => outcome));
    expect(code).toBe(0);
    expect(ms).toBeLessThan(PROMISED_MS);
    const turnedAway = outcomes.filter(({ status }) => status === 503);
    expect(outcomes.filter(({ status }) => status === 401).length + turnedAway.length).toBe(outcomes.length);
    expect(outcomes.length - turnedAway.length).toBeGreaterThan(0);
    expect(turnedAway.length).toBeGreaterThan(0);
    for (const { retryAfter } of turnedAway) expect(retryAfter).toMatch(/^[1-9]\d*$/);
    // All of them are in the log.
    for (const { requestId } of outcomes) expect(gatehouse.output()).toContain(`"requestId":"${requestId ?? ''}"`);
  });

  it('a request of which half has arrived is read and answered, also on a connection that was used before', async () => {
    await start();
    const fresh = await rawConnection();
    fresh.socket.write(LOGIN_HEAD + LOGIN.slice(0, 10));
    const used = await rawConnection();
    used.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(used.socket, 'data');
    used.socket.write('GET /api/v1/con');
    await send(`GET ${gatehouse.url}/health`);
    const stopping = stopped();
    await eventually(() => { expect(gatehouse.output()).toContain('"msg":"Stopping"'); });
    await eventually(async () => { await expect(send(`GET ${gatehouse.url}/health`)).rejects.toThrow(); });
    fresh.socket.write(LOGIN.slice(10));
    used.socket.write('fig HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await fresh.answer).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\r\nconnection: close\r\n[\s\S]*"accessToken"/i);
    expect(await used.answer).toMatch(/HTTP\/1\.1 200 OK[\s\S]*\r\nconnection: close\r\n[\s\S]*"registration"/i);
    expect((await stopping).code).toBe(0);
  });

  it('connections on which nobody has said anything do not hold it up', async () => {
    await start();
    const silent = await rawConnection();
    const idle = await rawConnection();
    idle.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(idle.socket, 'data');
    const { code, ms } = await stopped();
    expect([code, await silent.answer]).toEqual([0, '']);
    expect(ms).toBeLessThan(5_000);
  });

  it('a database that has stopped answering does not either', async () => {
    const proxy = await openProxy(database.url);
    await start({ DATABASE_URL: proxy.url });
    proxy.freeze(true);
    const { outcome, taken } = sendLogin(gatehouse.api, OWNER.email, OWNER.password);
    await taken;
    const { code, ms } = await stopped();
    expect([code, ms < PROMISED_MS]).toEqual([0, true]);
    expect([503, 'ECONNRESET']).toContain((await outcome).status);
    await proxy.cut();
  });

  it('what is under way on the other address of localhost is answered too', async () => {
    await start({ HOST: 'localhost' });
    const answers: Promise<string>[] = [];
    for (const host of ['127.0.0.1', '::1']) {
      const connection = await rawConnection(host).catch(() => null);
      if (connection === null) continue;
      connection.socket.write(LOGIN_HEAD + LOGIN.slice(0, 10));
      answers.push(connection.answer);
      await send(`GET ${gatehouse.url}/health`);
      void eventually(() => { expect(gatehouse.output()).toContain('"msg":"Stopping"'); }).then(() => connection.socket.write(LOGIN.slice(10)));
    }
    expect((await stopped()).code).toBe(0);
    for (const answer of await Promise.all(answers)) expect(answer).toContain('"accessToken"');
  });
});

describe('a signal', () => {
  it('from the keyboard waits for no load balancer', async () => {
    await start({ SHUTDOWN_DELAY: '30s' });
    const { code, ms } = await stopped('SIGINT');
    expect([code, ms < PROMISED_MS]).toEqual([0, true]);
  });

  it('after the first ends the server at once', async () => {
    await start({ SHUTDOWN_DELAY: '30s' });
    gatehouse.process.kill('SIGTERM');
    await eventually(() => { expect(gatehouse.output()).toContain('"msg":"Stopping; open for another 30 s"'); });
    // Two of a kind within a moment are one signal, by way of the process manager and of the parent.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { code, ms } = await stopped('SIGINT');
    expect([code, ms < 3_000]).toEqual([1, true]);
  });

  it('in the middle of a start that waits for its database ends it in order', async () => {
    const proxy = await openProxy(database.url);
    proxy.freeze(true);
    const { child } = launch({ env: { DATABASE_URL: proxy.url } });
    await proxy.connected();
    const since = performance.now();
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect([child.exitCode, performance.now() - since < 3_000]).toEqual([0, true]);
    await proxy.cut();
  });
});
