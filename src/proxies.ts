import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Settings } from './config/index.js';

type TrustProxy = Settings['trustProxy'];

const FORWARDED_FOR = 'x-forwarded-for';
/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const WITH_PORT = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/;

/**
 * `TRUST_PROXY` as Fastify takes it. Fastify answers a bare number of hops with no trust at all; as a function it counts
 * them from the peer inwards, which is right as long as nobody reaches the server past the proxies.
 */
export function trustedProxies(setting: TrustProxy): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (typeof setting === 'number') return (_address, hop) => hop < setting;
  return typeof setting === 'boolean' ? setting : [...setting];
}

/**
 * Makes sure that the address of a request is one: what lies beyond an entry that is no address was not written by a
 * proxy that is trusted, and would go into the log and the database as it is.
 */
export function readForwardedAddresses(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const header = request.headers[FORWARDED_FOR];
    // The header stays, though empty: its presence alone tells that a proxy was passed.
    if (header !== undefined) request.headers[FORWARDED_FOR] = addressesIn(String(header)).join(', ');
    done();
  });
}

function addressesIn(header: string): string[] {
  const entries = header.split(',').map((entry) => withoutPort(entry.trim()));
  return entries.slice(entries.findLastIndex((entry) => !isAddress(entry)) + 1);
}

/** Not with a zone (RFC 4007 §11): that means something on one machine alone, and may be of any length. */
function isAddress(entry: string): boolean {
  return isIP(entry) !== 0 && !entry.includes('%');
}

function withoutPort(entry: string): string {
  const [, ipv6, ipv4] = WITH_PORT.exec(entry) ?? [];
  return ipv6 ?? ipv4 ?? entry;
}
