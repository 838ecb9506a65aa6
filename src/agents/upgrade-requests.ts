import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

/** The connection of a request that asks for an upgrade, and what has come after the request's head. */
export interface Upgrade {
  readonly socket: Socket;
  readonly head: Buffer;
}

/**
 * Sends requests for a WebSocket the way of all others: through the router, the hooks, the guards and, when they are
 * refused, the filter. The handler that wants the connection takes it.
 */
@Injectable()
export class UpgradeRequests implements OnApplicationBootstrap {
  private readonly waiting = new WeakMap<IncomingMessage, { upgrade: Upgrade; response: ServerResponse }>();

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  onApplicationBootstrap(): void {
    const { httpAdapter } = this.adapterHost;
    const fastify = httpAdapter.getInstance<FastifyInstance>();
    const server = httpAdapter.getHttpServer() as Server;
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      // Node has taken its own listener off: without one, a connection that breaks would end the process.
      socket.on('error', () => socket.destroy());
      if (request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket') {
        this.route(fastify, request, { socket, head });
      } else {
        ignoreUpgrade(server, request, { socket, head });
      }
    });
  }

  /** Hands the connection over, and is done with the request; `null` when it does not ask for a WebSocket. */
  take(request: IncomingMessage): Upgrade | null {
    const found = this.waiting.get(request);
    if (found === undefined) return null;
    this.waiting.delete(request);
    found.response.detachSocket(found.upgrade.socket);
    return found.upgrade;
  }

  /** Whether a request asks for a WebSocket. */
  has(request: IncomingMessage): boolean {
    return this.waiting.has(request);
  }

  private route(fastify: FastifyInstance, request: IncomingMessage, upgrade: Upgrade): void {
    const { socket } = upgrade;
    const response = new ServerResponse(request);
    // Nobody reads further requests from this connection.
    response.shouldKeepAlive = false;
    response.on('finish', () => { socket.destroySoon(); });
    response.assignSocket(socket);
    this.waiting.set(request, { upgrade, response });
    fastify.routing(request, response);
  }
}

/**
 * Answers a request that offers another protocol in the one that it came in, as RFC 9110 §7.8 allows: clients such as
 * Java's offer HTTP/2 with every first request. Node stops reading at the head of such a request, so it is read again
 * without the offer.
 */
function ignoreUpgrade(server: Server, request: IncomingMessage, { socket, head }: Upgrade): void {
  const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/${request.httpVersion}`];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(at, at + 2);
    const kept = name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value;
    if (name.toLowerCase() !== 'upgrade' && kept !== '') lines.push(`${name}: ${kept}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function withoutUpgrade(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  return options.filter((option) => !/^(upgrade|http2-settings)$/i.test(option)).join(', ');
}
