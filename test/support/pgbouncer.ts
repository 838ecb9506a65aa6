import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from './client.js';
import { makeDirectory } from './directory.js';
import { freePort } from './free-port.js';

const PROGRAM = '/usr/sbin/pgbouncer';
const NOBODY = 65_534;
/** Fewer than the connections of one instance, so that they are handed from one client to the other. */
const SERVER_CONNECTIONS = 4;

/** A pooler in transaction mode. */
export interface PgBouncer {
  /** The database's URL, through the pooler. */
  readonly url: string;
  /** Ends it, with all its connections. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** Whether it can be started here; where `REQUIRE_PGBOUNCER=1` wants it, its absence is a failure. */
export function hasPgBouncer(): boolean {
  const installed = existsSync(PROGRAM);
  if (!installed && process.env['REQUIRE_PGBOUNCER'] === '1') throw new Error(`${PROGRAM} is not there, and REQUIRE_PGBOUNCER=1 wants it`);
  if (!installed) process.stderr.write(`Left out: test/pgbouncer.e2e.ts, for want of ${PROGRAM} (apt-get install pgbouncer)\n`);
  return installed;
}

/** Starts one in front of where a URL points. */
export async function startPgBouncer(target: string): Promise<PgBouncer> {
  const { hostname, port, username, password, pathname } = new URL(target);
  const directory = makeDirectory(0o755);
  const own = await freePort();
  const config = join(directory.path, 'pgbouncer.ini');
  writeFileSync(join(directory.path, 'users.txt'), `"${username}" ""\n`);
  writeFileSync(config, [
    '[databases]',
    `* = host=${hostname} port=${port} user=${username} password=${decodeURIComponent(password)}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1', `listen_port = ${String(own)}`, 'unix_socket_dir =',
    'auth_type = trust', `auth_file = ${join(directory.path, 'users.txt')}`,
    'pool_mode = transaction', `default_pool_size = ${String(SERVER_CONNECTIONS)}`, 'server_login_retry = 1',
  ].join('\n'));
  for (const file of ['users.txt', 'pgbouncer.ini']) chmodSync(join(directory.path, file), 0o644);

  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    // It refuses to run as root.
    child = spawn(PROGRAM, ['-q', config], { stdio: 'ignore', ...(process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}) });
    await eventually(async () => {
      const socket = connect(own, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    });
  };
  const stop = async (): Promise<void> => {
    if (child === null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    child = null;
  };
  await start();
  return {
    url: `postgres://${username}@127.0.0.1:${String(own)}${pathname}`,
    start,
    stop,
    remove: async () => {
      await stop();
      directory.remove();
    },
  };
}
