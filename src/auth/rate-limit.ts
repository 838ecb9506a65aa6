import { isIPv6 } from 'node:net';
import { applyDecorators, type CanActivate, type ExecutionContext, Injectable, UseGuards } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { InjectThrottlerStorage, type ThrottlerStorage } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { Settings } from '../config/index.js';
import { AuthError } from '../errors/index.js';
import { ProblemDetails } from '../http/index.js';

const LIMIT = 'credentials';

/** An IPv4 client of a server that listens on both (RFC 4291 §2.5.5.2). */
const IPV4_MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Limits how many credentials one address may try, over all the routes that take one together. */
@Injectable()
export class AddressRateLimit implements CanActivate {
  constructor(
    @InjectThrottlerStorage() private readonly attempts: ThrottlerStorage,
    private readonly settings: Settings,
  ) {}

  /** @throws AuthError `too_many_requests` */
  async canActivate(context: ExecutionContext): Promise<true> {
    const { rateLimitEnabled, rateLimitAttempts, rateLimitWindow } = this.settings;
    if (!rateLimitEnabled) return true;
    const { ip } = context.getArgByIndex<FastifyRequest>(0);
    const window = rateLimitWindow * 1000;
    const { isBlocked, timeToBlockExpire } =
      await this.attempts.increment(`${LIMIT}:${addressGroup(ip)}`, window, rateLimitAttempts, window, LIMIT);
    if (isBlocked) throw new AuthError('too_many_requests', { retryAfterSeconds: Math.max(1, timeToBlockExpire) });
    return true;
  }
}

/** Whoever has one IPv6 address has the 64 bits of its network to choose from (RFC 6177). */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const [, mapped] = IPV4_MAPPED.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  const [head = '', tail = ''] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  const network = [...left, ...zeros, ...right].slice(0, 4);
  // One network has one spelling here, whatever the proxy writes: no leading zeros, no capitals.
  return network.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}

/** For routes that take a password, a token or a claim: so many a minute from one address (429). */
export function RateLimited(): MethodDecorator {
  return applyDecorators(
    UseGuards(AddressRateLimit),
    ApiResponse({ status: 429, type: ProblemDetails, description: 'Too many attempts from this address' }),
  );
}
