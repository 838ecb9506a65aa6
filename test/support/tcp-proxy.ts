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
  /** From now on nothing passes, but nothing is closed either. */
  freeze(frozen: boolean): void;
  /** From now on everything takes so many milliseconds longer, each way. */
  delay(milliseconds: number): void;
}

/** Opens a proxy to where a URL points. */
export async function openProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let frozen = false;
  let delay = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one);
      if (frozen) one.pause();
      let line = Promise.resolve();
      let waiting = 0;
      one.on('data', (chunk) => {
        if (delay === 0 && waiting === 0) {
          other.write(chunk);
          return;
        }
        const due = Date.now() + delay;
        waiting += 1;
        line = line.then(() => sleep(Math.max(0, due - Date.now()))).then(() => { waiting -= 1; other.write(chunk); });
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
    freeze: (on) => {
      frozen = on;
      for (const socket of sockets) if (on) socket.pause(); else socket.resume();
    },
  };
}
