import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { answerUnreadable } from './http/index.js';

/** Who has connected and said nothing for so long, such as a browser that expects to need a connection, is not about to. */
const LONGEST_SILENCE_MS = 1_000;

/** The connections of a server that listens, for the time when it no longer wants them. */
export class OpenConnections {
  private readonly servers: readonly Server[];
  /** With the time at which they came. */
  private readonly sockets = new Map<Socket, number>();

  constructor(fastify: FastifyInstance) {
    this.servers = [fastify.server, ...furtherServersOf(fastify)];
    for (const server of this.servers) {
      // Fastify tells its first server alone.
      if (server.listenerCount('clientError') === 0) server.on('clientError', answerUnreadable);
      server.on('connection', (socket) => {
        this.sockets.set(socket, performance.now());
        socket.once('close', () => this.sockets.delete(socket));
      });
    }
  }

  /**
   * Takes no new connections. Those that there are stay, idle ones too: a request may be on its way on them.
   * @returns a promise of the moment when the last of them is gone
   */
  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => new Promise<void>((resolve) => {
      // Not the HTTP server's own method, which cuts idle connections at once.
      NetServer.prototype.close.call(server, () => { resolve(); });
    })));
  }

  /** Closes those on which nothing is under way. */
  closeIdle(): void {
    for (const server of this.servers) server.closeIdleConnections();
    const since = performance.now() - LONGEST_SILENCE_MS;
    for (const [socket, openedAt] of this.sockets) if (socket.bytesRead === 0 && openedAt < since) socket.destroy();
  }

  /** Closes all of them, whatever is under way. */
  cut(): void {
    for (const server of this.servers) server.closeAllConnections();
    // Those that are no longer HTTP.
    for (const socket of this.sockets.keys()) socket.destroy();
  }
}

/** Where `HOST=localhost` has several addresses, Fastify has a server for each, which this symbol alone leads to. */
function furtherServersOf(fastify: FastifyInstance): Server[] {
  const symbol = Object.getOwnPropertySymbols(fastify).find(({ description }) => description === 'fastify.serverBindings');
  return symbol === undefined ? [] : (fastify as unknown as Record<symbol, Server[]>)[symbol] ?? [];
}
