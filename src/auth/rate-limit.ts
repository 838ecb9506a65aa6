import { isIPv6 } from 'node:net';
import { applyDecorators, type ExecutionContext, Injectable, UseGuards } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { ThrottlerGuard, type ThrottlerLimitDetail } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { AuthError } from '../errors/index.js';
import { ProblemDetails } from '../http/index.js';

/** An IPv4 client of a server that listens on both (RFC 4291 §2.5.5.2). */
const IPV4_MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Limits how many credentials one address may try, over all the routes that take one together. */
@Injectable()
export class AddressRateLimit extends ThrottlerGuard {
  protected override getTracker(request: FastifyRequest): Promise<string> {
    return Promise.resolve(addressGroup(request.ip));
  }

  protected override generateKey(_: ExecutionContext, tracker: string, name: string): string {
    return `${name}:${tracker}`;
  }

  protected override throwThrottlingException(_: ExecutionContext, detail: ThrottlerLimitDetail): Promise<void> {
    return Promise.reject(new AuthError('too_many_requests', { retryAfterSeconds: Math.max(1, detail.timeToBlockExpire) }));
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
