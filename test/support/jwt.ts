import { createHmac } from 'node:crypto';
import { TEST_JWT_SECRET } from './gatehouse.js';

type Fields = Record<string, unknown>;

/** The two readable parts of a JWT. */
export function decodeJwt(token: string): { header: Fields; claims: Fields } {
  const [header = '', claims = ''] = token.split('.');
  const read = (part: string): Fields => JSON.parse(Buffer.from(part, 'base64url').toString()) as Fields;
  return { header: read(header), claims: read(claims) };
}

/** Writes a JWT the way an attacker would: any header, any claims, HMAC with any hash and any secret. */
export function forgeJwt(header: unknown, claims: unknown, options: { secret?: string; hash?: string } = {}): string {
  const write = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${write(header)}.${write(claims)}`;
  const { secret = TEST_JWT_SECRET, hash = 'sha256' } = options;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}
