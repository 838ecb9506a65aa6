import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Settings } from '../config/index.js';

const FORWARDED_FOR = 'x-forwarded-for';
/** Asked by load balancers and orchestrators themselves, past whatever forwards requests. */
const PROBES = /^\/(health|metrics)([/?]|$)/;
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;
/** As long as the column; an address is shorter. */
const LONGEST_ADDRESS = 64;

/** What requests show of the proxies before this server, where `TRUST_PROXY` says otherwise: the first of each kind. */
@Injectable()
export class ForwardingSeen {
  /** The peer of a request that had been forwarded, but by no proxy of `TRUST_PROXY`. */
  forwardedBy: string | null = null;
  /** The peer of a request that had passed fewer proxies than `TRUST_PROXY` counts. */
  camePastProxies: string | null = null;
  private listener: () => void = () => undefined;

  /** Has a listener called after each first. */
  onChange(listener: () => void): void {
    this.listener = listener;
  }

  /** Looks at a request. @returns whether there is nothing left to be seen */
  look(request: FastifyRequest, trustProxy: Settings['trustProxy']): boolean {
    const header = request.headers[FORWARDED_FOR];
    const peer = (request.socket.remoteAddress ?? '').slice(0, LONGEST_ADDRESS);
    if (typeof trustProxy === 'number') {
      if (!camePast(header, peer, trustProxy) || PROBES.test(request.url)) return false;
      this.camePastProxies = peer;
    } else {
      // Of a peer that is no proxy of ours nothing beyond its own address is believed.
      if (header === undefined || (request.ips?.length ?? 1) > 1) return false;
      this.forwardedBy = peer;
    }
    this.listener();
    return true;
  }
}

/** Each proxy adds an entry. Somebody on this very machine, without any, is its operator. */
function camePast(header: string | string[] | undefined, peer: string, hops: number): boolean {
  if (header === undefined) return !LOOPBACK.test(peer);
  return String(header).split(',').length < hops;
}

/** Watches requests until there is nothing left to be seen; after that it costs nothing but the call. */
export function watchForwarding(server: FastifyInstance, seen: ForwardingSeen, { trustProxy }: Settings): void {
  // Whoever believes everybody learns nothing from a header.
  if (trustProxy === true) return;
  let done = false;
  server.addHook('onRequest', (request, _reply, next) => {
    if (!done) done = seen.look(request, trustProxy);
    next();
  });
}
