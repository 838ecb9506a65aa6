import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Api, eventually, send } from './support/client.js';
import { embeddedIn, makeDirectory, postgresBelow, type TestDirectory } from './support/directory.js';
import { type Gatehouse, runGatehouse, startGatehouse } from './support/gatehouse.js';
import { sendLogin } from './support/raw-login.js';
import { OWNER } from './support/suite.js';

describe('on its own database, with nothing set but where and which port', () => {
  let directory: TestDirectory;
  let dataDir: string;
  let gatehouse: Gatehouse;
  const running: Gatehouse[] = [];

  const start = async (): Promise<Gatehouse> => {
    gatehouse = await startGatehouse({ env: embeddedIn(dataDir) });
    running.push(gatehouse);
    return gatehouse;
  };

  beforeAll(async () => {
    directory = makeDirectory();
    dataDir = join(directory.path, 'data');
    await start();
  });

  afterAll(async () => {
    await Promise.all(running.map((one) => one.stop()));
    directory.remove();
  });

  const ownerLogin = () => new Api(gatehouse).login(OWNER.email, OWNER.password);

  it('says where it is and how to become the owner, with a command that works once it is filled in', async () => {
    const output = gatehouse.output();
    expect(output).toContain(`  API      ${gatehouse.url}/api/v1\n  Docs     ${gatehouse.url}/docs\n  Data     ${dataDir}\n`);
    const command = /^ {2}(curl -X POST .*\\\n.*)$/m.exec(output)?.[1] ?? '';
    const filledIn = command.replace('you@example.com', OWNER.email).replace('"password":""', `"password":"${OWNER.password}"`);
    const answer = JSON.parse(execFileSync('sh', ['-c', `${filledIn} -s`], { encoding: 'utf8' })) as unknown;
    expect(answer).toMatchObject({ email: OWNER.email, role: 'owner' });
    expect((await send(`GET ${gatehouse.url}/health`)).body).toMatchObject({ status: 'ok', nativeApi: '/api/v1' });
  });

  it('keeps its data, its secret and the sessions over a restart', async () => {
    const { accessToken, refreshToken } = await ownerLogin();
    const secret = join(dataDir, 'jwt-secret');
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    expect(await gatehouse.stop()).toBe(0);
    const again = new Api(await start());
    expect(gatehouse.claimToken).toBeNull();
    expect((await again.call('GET /auth/me', { token: accessToken })).status).toBe(200);
    expect((await again.call('POST /auth/refresh', { json: { refreshToken } })).status).toBe(200);
  });

  it('refuses a second process on the directory, and goes on', async () => {
    const { code, output } = await runGatehouse({ env: embeddedIn(dataDir) });
    expect(code).toBe(1);
    expect(output).toContain(`another Gatehouse (process ${String(gatehouse.process.pid)}) is already using DATA_DIR ${dataDir}`);
    expect(output).not.toMatch(/\n {4}at /);
    await ownerLogin();
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('answers what is under way before %s ends it, then stops the database', async (signal) => {
    // Logins that wait in line for their hash: the last of them is far from done when the signal comes.
    const logins = Array.from({ length: 8 }, () => sendLogin(gatehouse.api, OWNER.email, OWNER.password));
    await Promise.all(logins.map(({ taken }) => taken));
    expect(await gatehouse.stop(signal)).toBe(0);
    expect((await Promise.all(logins.map(({ outcome }) => outcome))).map(({ status }) => status)).toEqual(logins.map(() => 200));
    expect(postgresBelow(directory.path)).toEqual([]);
    await start();
  });

  it('is not held up for ever by a caller that never finishes its request', async () => {
    const { hostname, port } = new URL(gatehouse.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    socket.write('POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{');
    const since = performance.now();
    expect(await gatehouse.stop()).toBe(0);
    // What an orchestrator allows before it kills.
    expect(performance.now() - since).toBeLessThan(10_000);
    expect(postgresBelow(directory.path)).toEqual([]);
    socket.destroy();
    await start();
  });

  it('leaves no database behind when the signal comes in the middle of the start', async () => {
    await gatehouse.stop();
    const starting = startGatehouse({ env: embeddedIn(dataDir), program: [join(__dirname, '..', 'dist', 'main.js')] }).then(
      (one) => one.stop(), () => undefined);
    await eventually(() => { expect(postgresBelow(directory.path)).not.toEqual([]); });
    const [, pid] = /^\s*(\d+)/.exec(execFileSync('ps', ['-o', 'ppid=', '-p', /\d+/.exec(postgresBelow(directory.path)[0] ?? '')?.[0] ?? ''], { encoding: 'utf8' })) ?? [];
    process.kill(Number(pid), 'SIGTERM');
    await starting;
    await eventually(() => { expect(postgresBelow(directory.path)).toEqual([]); });
    await start();
  });
});
