import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Settings } from '../config/index.js';
import { isBelow, pathOf } from '../http/index.js';

/** What a request brings to say who it is. */
export type Credential =
  | { kind: 'api-key'; key: string }
  | { kind: 'access-token'; token: string }
  | { kind: 'malformed' }
  | { kind: 'none' };

const AUTHORIZATION = 'authorization';
const PLAIN_BEARER = 'Bearer ';
const BEARER = /^Bearer +(.+)$/i;

/** Reads the credential of a request; a dialect may read other headers, or a cookie. */
export type CredentialReader = (request: FastifyRequest) => Credential;

/**
 * The native way: `X-API-Key`, or `Authorization: Bearer` with an access token or an API key (RFC 6750 §2.1). If the
 * API-key header is there, it alone decides.
 */
export function nativeCredentialReader(apiKeyPrefix: string): CredentialReader {
  const keysBegin = `${apiKeyPrefix}_`;
  return (request) => {
    const key = request.headers['x-api-key'];
    if (key !== undefined) return { kind: 'api-key', key: String(key) };
    const bearer = readBearer(request);
    const isKey = bearer.kind === 'access-token' && bearer.token.startsWith(keysBegin);
    return isKey ? { kind: 'api-key', key: bearer.token } : bearer;
  };
}

/** Reads an access token from `Authorization: Bearer`, and looks at nothing else. */
export function readBearer(request: FastifyRequest): Exclude<Credential, { kind: 'api-key' }> {
  const authorization = authorizationOf(request);
  // Empty: a page that adds the header whether it has a token or not.
  if (authorization === undefined || authorization === '') return { kind: 'none' };
  const token = plainBearer(authorization) ?? BEARER.exec(authorization)?.[1];
  return token === undefined ? { kind: 'malformed' } : { kind: 'access-token', token };
}

/** What nearly everybody sends, without a regular expression. */
function plainBearer(authorization: string): string | undefined {
  const isPlain = authorization.startsWith(PLAIN_BEARER) && authorization.length > PLAIN_BEARER.length && authorization[PLAIN_BEARER.length] !== ' ';
  return isPlain ? authorization.slice(PLAIN_BEARER.length) : undefined;
}

/**
 * The `Authorization` header; of several, all in one value (RFC 9110 §5.3), which is then no good credential. Node would
 * keep the first, where a proxy in front may have looked at the last.
 */
function authorizationOf(request: FastifyRequest): string | undefined {
  const { rawHeaders } = request.raw;
  let combined: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length !== AUTHORIZATION.length || name.toLowerCase() !== AUTHORIZATION) continue;
    const value = rawHeaders[at + 1] ?? '';
    combined = combined === undefined ? value : `${combined}, ${value}`;
  }
  return combined;
}

/** Who reads the credential of a request: the native reader, but for paths that a dialect has claimed. */
@Injectable()
export class CredentialReaders {
  private readonly native: CredentialReader;
  private readonly claimed: { prefix: string; reader: CredentialReader }[] = [];

  constructor(settings: Settings) {
    this.native = nativeCredentialReader(settings.apiKeyPrefix);
  }

  /** Has another reader used below a path. */
  claim(prefix: string, reader: CredentialReader): void {
    this.claimed.push({ prefix, reader });
  }

  read(request: FastifyRequest): Credential {
    if (this.claimed.length === 0) return this.native(request);
    const path = pathOf(request.url);
    const claim = this.claimed.find(({ prefix }) => isBelow(path, prefix));
    return (claim?.reader ?? this.native)(request);
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the access guard for the Passport strategies to verify. */
    credential?: Credential;
  }
}
