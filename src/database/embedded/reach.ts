import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type Account, giveTo } from './account.js';

/** How clients get to the server: a socket's directory, or loopback and a port. */
export interface Reach { host: string; port: number; serverSettings: Record<string, string> }

const SOCKET_PORT = 5432;
const PRIVATE_DIR = 'gatehouse-postgres-';
/** sun_path less its terminating zero (Linux 108, elsewhere 104) */
const LONGEST_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/** Chooses the way in. A socket in the cluster, which only its owner may enter, is the safest there is. */
export async function chooseReach(clusterDir: string, account: Account | null, kind: 'socket' | 'loopback'): Promise<Reach> {
  if (kind === 'loopback') {
    return loopback(await freePort());
  }
  if (Buffer.byteLength(join(clusterDir, `.s.PGSQL.${SOCKET_PORT}`)) <= LONGEST_SOCKET_PATH) return socket(clusterDir);
  const directory = await mkdtemp(join(tmpdir(), PRIVATE_DIR));
  await giveTo(account, directory);
  return socket(directory);
}

/** Removes the private directory that a server with too long a path had its socket in. */
export async function releaseReach(host: string): Promise<void> {
  if (dirname(host) === tmpdir() && basename(host).startsWith(PRIVATE_DIR)) await rm(host, { recursive: true, force: true });
}

function socket(directory: string): Reach {
  return {
    host: directory,
    port: SOCKET_PORT,
    // The setting is a list: quotes keep a comma or a space in the path from dividing it.
    serverSettings: { listen_addresses: '', unix_socket_directories: `"${directory.replaceAll('"', '""')}"`, port: String(SOCKET_PORT) },
  };
}

function loopback(port: number): Reach {
  return { host: '127.0.0.1', port, serverSettings: { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port) } };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => { resolve(typeof address === 'object' && address !== null ? address.port : 0); });
    });
  });
}
