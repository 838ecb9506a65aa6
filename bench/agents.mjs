// How many agents does one instance hold, and what do they cost? Starts the built server on a throw-away database, opens a
// socket for each of N keys, and says what a socket takes in memory, what they take of a core while nothing happens, and how
// long it takes until all are closed once their keys are revoked.
//
//   npm run bench:agents [-- <sockets>]      (10,000; both processes need a file descriptor for each: see ulimit -n)
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { startEmbeddedPostgres } from '../dist/database/embedded/index.js';

const SOCKETS = Number(process.argv[2] ?? 10_000);
const AT_ONCE = 200;
const IDLE_SECONDS = 20;

const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
// As root the database runs as another account, which has to get there.
chmodSync(dataDir, 0o711);
const postgres = await startEmbeddedPostgres({ dataDir, reach: 'loopback', log: () => undefined });
const { host, port, user, password, database } = postgres.connection;
const databaseUrl = `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
const server = spawn(process.execPath, [fileURLToPath(new URL('../dist/main.js', import.meta.url))], {
  env: {
    PATH: process.env.PATH,
    PORT: '0',
    DATABASE_URL: databaseUrl,
    JWT_SECRET: randomBytes(48).toString('base64url'),
    LOG_LEVEL: 'warn',
  },
  stdio: ['ignore', 'inherit', 'pipe'],
});
const url = await new Promise((resolve, reject) => {
  let text = '';
  server.stderr.on('data', (chunk) => {
    text += chunk;
    const found = /listening at (\S+)/.exec(text);
    if (found) resolve(new URL(found[1]));
  });
  server.once('exit', () => reject(new Error(text)));
});
const db = new pg.Client({ connectionString: databaseUrl });
await db.connect();

/** Keys as an import would bring them, one for each socket, all of one user. */
async function makeKeys() {
  const owner = uuidv7();
  await db.query("INSERT INTO users (id, username, username_folded) VALUES ($1, 'agents', 'agents')", [owner]);
  const keys = Array.from({ length: SOCKETS }, () => ({ id: uuidv7(), key: randomBytes(32).toString('base64url') }));
  await db.query(
    `INSERT INTO api_keys (id, user_id, name, prefix, key_hash, scopes, resource_type, resource_id)
     SELECT id, $1, 'bench', 'bench', hash, '{agents:connect}', 'server', id::text FROM unnest($2::uuid[], $3::bytea[]) AS made (id, hash)`,
    [owner, keys.map(({ id }) => id), keys.map(({ key }) => createHash('sha256').update(key).digest())],
  );
  await db.query('ANALYZE api_keys');
  return keys.map(({ key }) => key);
}

/**
 * An agent that costs this process little, and notes when the close frame comes: it says what an agent has to say, and reads
 * frames that are small and whole.
 */
function open(key) {
  const socket = connect(Number(url.port), url.hostname);
  const agent = { socket, closed: null };
  agent.closed = new Promise((resolve, reject) => {
    agent.end = resolve;
    socket.once('error', reject);
  });
  agent.closed.catch(() => undefined);
  socket.write(`GET /api/v1/agents/ws HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n`
    + `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-API-Key: ${key}\r\n\r\n`);
  return new Promise((resolve, reject) => {
    let upgraded = false;
    socket.once('error', reject);
    socket.on('data', (chunk) => {
      let at = 0;
      if (!upgraded) {
        if (!chunk.subarray(0, 13).equals(Buffer.from('HTTP/1.1 101 '))) return reject(new Error(chunk.toString().split('\r\n')[0]));
        upgraded = true;
        at = chunk.indexOf('\r\n\r\n') + 4;
      }
      while (at < chunk.length) {
        const opcode = chunk[at] & 15;
        const long = chunk[at + 1] === 126;
        const begin = at + (long ? 4 : 2);
        const payload = chunk.subarray(begin, (at = begin + (long ? chunk.readUInt16BE(at + 2) : chunk[at + 1])));
        // It says that it is in.
        if (opcode === 1) resolve(agent);
        if (opcode === 9) socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
        if (opcode === 8) {
          agent.end({ code: payload.readUInt16BE(0), at: performance.now() });
          socket.end(Buffer.from([0x88, 0x82, 0, 0, 0, 0, payload[0], payload[1]]));
        }
      }
    });
  });
}

async function openAll(keys) {
  const sockets = [];
  for (let at = 0; at < keys.length; at += AT_ONCE) sockets.push(...(await Promise.all(keys.slice(at, at + AT_ONCE).map(open))));
  return sockets;
}

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Seconds of CPU that a process and its children have used, those that have ended included. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
  return own + children.reduce((sum, child) => sum + cpuOf(child), 0);
}

const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) * 1024;
const postmaster = Number(readFileSync(join(postgres.clusterDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
const statements = async () => Number((await db.query('SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()')).rows[0].xact_commit);
const walBytes = async () => Number((await db.query("SELECT pg_current_wal_lsn() - '0/0' AS bytes")).rows[0].bytes);

try {
  const keys = await makeKeys();
  // What is compiled and connected on first use does not count.
  for (const { socket } of await openAll(keys.slice(0, AT_ONCE))) socket.destroy();
  await delay(2_000);
  const before = rss();
  const began = performance.now();
  const sockets = await openAll(keys);
  const took = (performance.now() - began) / 1000;
  console.log(`${SOCKETS} sockets opened in ${took.toFixed(1)} s (${Math.round(SOCKETS / took)}/s)`);
  await delay(8_000);
  console.log(`memory: ${((rss() - before) / SOCKETS / 1024).toFixed(1)} KiB a socket (${Math.round(before / 2 ** 20)} MiB before, ${Math.round(rss() / 2 ** 20)} after)`);

  const idle = { server: cpuOf(server.pid), postgres: cpuOf(postmaster), statements: await statements(), wal: await walBytes() };
  await delay(IDLE_SECONDS * 1000);
  const share = (now, then) => `${(((now - then) / IDLE_SECONDS) * 100).toFixed(1)} %`;
  console.log(`idle, of one core: server ${share(cpuOf(server.pid), idle.server)}, PostgreSQL ${share(cpuOf(postmaster), idle.postgres)}; `
    + `${((await statements() - idle.statements) / IDLE_SECONDS).toFixed(1)} transactions and ${Math.round((await walBytes() - idle.wal) / IDLE_SECONDS / 1024)} KiB of WAL a second`);

  const busy = cpuOf(server.pid);
  const revoking = performance.now();
  await db.query('UPDATE api_keys SET revoked_at = now()');
  const revoked = performance.now();
  const ends = (await Promise.all(sockets.map(({ closed }) => closed))).map(({ code, at }) => { if (code !== 1008) throw new Error(`closed with ${code}`); return at - revoked; }).sort((a, b) => a - b);
  console.log(`all keys revoked (a statement of ${Math.round(revoked - revoking)} ms): the first socket closed ${Math.round(ends[0])} ms after, `
    + `the median ${Math.round(ends[ends.length >> 1])} ms, the last ${Math.round(ends.at(-1))} ms; the server spent ${Math.round((cpuOf(server.pid) - busy) * 1000)} ms of CPU`);
} finally {
  await db.end();
  server.kill('SIGTERM');
  const stopping = performance.now();
  await new Promise((resolve) => server.once('exit', resolve));
  console.log(`the server stopped in ${Math.round(performance.now() - stopping)} ms`);
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
