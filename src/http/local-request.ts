import type { IncomingMessage } from 'node:http';
import { AuthError } from '../errors/index.js';

const FORWARDING_HEADER = /^(forwarded|x-real-ip|x-forwarded-.+)$/;
const LOOPBACK_ADDRESS = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
const LOOPBACK_NAME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/**
 * Whether a request comes from this very machine. The address alone is not enough: a reverse proxy on the same
 * host is a loopback peer too, so forwarding headers rule a request out, and a web page elsewhere can point its own
 * name at 127.0.0.1 (DNS rebinding), so `Host` must be a loopback name.
 */
export function isLocalRequest(request: IncomingMessage): boolean {
  if (!LOOPBACK_ADDRESS.test(request.socket.remoteAddress ?? '')) return false;
  if (Object.keys(request.headers).some((name) => FORWARDING_HEADER.test(name))) return false;
  return LOOPBACK_NAME.test(request.headers.host ?? '');
}

/** @throws AuthError `local_only` when the request comes from elsewhere */
export function requireLocalRequest(request: IncomingMessage, detail: string): void {
  if (!isLocalRequest(request)) throw new AuthError('local_only', { detail });
}
