import { parse as uuidParse, stringify as uuidStringify } from 'uuid';
import type { SigningKeys } from './signing-keys.js';

/** What a refresh token says: a session, and the how-manieth token of it this is. */
export interface RefreshToken {
  sessionId: string;
  counter: number;
}

const FORMAT = /^([A-Za-z0-9_-]{22})\.(0|[1-9]\d{0,8})\.([A-Za-z0-9_-]{43})$/;

/**
 * Writes a refresh token: `<session id>.<counter>.<HMAC>`. Nothing of it is stored: the same counter always gives the
 * same token, which is how a repeated request gets the answer that was lost.
 */
export function issueRefreshToken(keys: SigningKeys, token: RefreshToken): string {
  const claims = `${Buffer.from(uuidParse(token.sessionId)).toString('base64url')}.${String(token.counter)}`;
  return `${claims}.${keys.sign('refresh token', claims)}`;
}

/** Reads a refresh token back; `null` when we never wrote it. Says nothing about whether it is still good. */
export function verifyRefreshToken(keys: SigningKeys, text: string): RefreshToken | null {
  const [, id, counter, signature] = FORMAT.exec(text) ?? [];
  if (id === undefined || counter === undefined || signature === undefined) return null;
  if (!keys.verify('refresh token', `${id}.${counter}`, signature)) return null;
  return { sessionId: uuidStringify(Buffer.from(id, 'base64url')), counter: Number(counter) };
}
