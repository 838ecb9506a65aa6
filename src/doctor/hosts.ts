import { isIP } from 'node:net';

/** This very machine: a loopback name or address, or a Unix socket. */
export function isLocalHost(host: string): boolean {
  return host === '' || host.startsWith('/') || host === 'localhost' || host.endsWith('.localhost')
    || /^(127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host);
}

const PRIVATE_ADDRESS = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|\[?f[cd][0-9a-f]{2}:|\[?fe80:)/i;

/** A network of the operator's own: a private address (RFC 1918, RFC 4193), or a name that only such a network knows. */
export function isPrivateHost(host: string): boolean {
  if (isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0) return PRIVATE_ADDRESS.test(host);
  return !host.includes('.') || /\.(local|internal|lan|svc|home\.arpa)$/.test(host) || host.endsWith('.svc.cluster.local');
}
