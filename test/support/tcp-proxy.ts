import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Stands between a server and its database or cache, and can cut the line. */
export interface TcpProxy {
  /** The target's URL, through the proxy. */
  readonly url: string;
  /** Cuts all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Lets connections through again, on the same port. */
  restore(): Promise<void>;
  /** Resolves when somebody has connected. */
  connected(): Promise<unknown>;
  /** From now on nothing passes, but nothing is closed either; later all of it does. */
  freeze(frozen: boolean): void;
  /** From now on everything takes so many milliseconds longer, each way. */
  delay(milliseconds: number): void;
  /** From now on everything is taken and lost, as in a network that drops packets; nothing of it comes back later. */
  swallow(swallowing: boolean): void;
  /** From now on PostgreSQL's connections are ended in the same breath in which they are let in. */
  endOnArrival(ending: boolean): void;
}

/** ReadyForQuery, which is what a connection that was let in begins with, and the end that an administrator may put to it. */
const READY = Buffer.from('Z\0\0\0\x05I', 'latin1');
const ENDED = ended('SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command');

function ended(...fields: string[]): Buffer {
  const text = Buffer.from(`${fields.join('\0')}\0\0`, 'latin1');
  const head = Buffer.from('E\0\0\0\0', 'latin1');
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]);
}

/** Opens a proxy to where a URL points. */
export async function openProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let frozen = false;
  let delay = 0;
  let swallowing = false;
  let ending = false;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one);
      if (frozen) one.pause();
      let line = Promise.resolve();
      let waiting = 0;
      const pass = (chunk: Buffer): void => {
        if (ending && one === far && chunk.subarray(-READY.length).equals(READY)) other.end(Buffer.concat([chunk, ENDED]));
        else other.write(chunk);
      };
      one.on('data', (chunk) => {
        if (swallowing) return;
        if (delay === 0 && waiting === 0) {
          pass(chunk);
          return;
        }
        const due = Date.now() + delay;
        waiting += 1;
        line = line.then(() => sleep(Math.max(0, due - Date.now()))).then(() => { waiting -= 1; pass(chunk); });
      });
      one.on('error', () => undefined);
      one.on('close', () => { sockets.delete(one); other.destroy(); });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = server.address() as AddressInfo;
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(own.port);
  return {
    url: url.href,
    cut: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    restore: async () => {
      server.listen(own.port, '127.0.0.1');
      await once(server, 'listening');
    },
    delay: (milliseconds) => { delay = milliseconds; },
    swallow: (on) => { swallowing = on; },
    endOnArrival: (on) => { ending = on; },
    connected: () => (sockets.size > 0 ? Promise.resolve() : once(server, 'connection')),
    freeze: (on) => {
      frozen = on;
      for (const socket of sockets) if (on) socket.pause(); else socket.resume();
    },
  };
}
