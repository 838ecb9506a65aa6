import { hash, randomBytes, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARACTERS = 43;
const CHECKSUM_CHARACTERS = 6;
const BODY = /^[0-9A-Za-z]{49}$/;
const SHOWN_CHARACTERS = 6;
const PLACEHOLDERS = new Set(['null', 'undefined', 'nil']);

function base62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n) text = (ALPHABET[Number(rest % 62n)] ?? '') + text;
  return text;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let checksum = '';
  for (; checksum.length < CHECKSUM_CHARACTERS; rest = Math.floor(rest / 62)) checksum = (ALPHABET[rest % 62] ?? '') + checksum;
  return checksum;
}

/**
 * A new key: `<prefix>_`, 256 random bits in base62, and a CRC-32 of what precedes it. One double-click selects all of
 * it, scanners recognise it, and a typo is told from a wrong key without a look into the database.
 */
export function generateApiKey(prefix: string): string {
  const random = base62(BigInt(`0x${randomBytes(32).toString('hex')}`), RANDOM_CHARACTERS);
  const start = `${prefix}_${random}`;
  return start + checksum(start);
}

/** A new key without prefix and checksum, for products whose keys have none: letters and digits, 5.95 bits each. */
export function generatePlainKey(characters: number): string {
  return Array.from({ length: characters }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

/**
 * Whether a text may be a key at all. What begins like one of ours must have the right form and checksum; keys of any
 * other form may have been imported. Nothing, white space and the words of a variable that was never set are none.
 */
export function isPlausibleApiKey(text: string, prefix: string): boolean {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed !== text || PLACEHOLDERS.has(text.toLowerCase())) return false;
  if (!text.startsWith(`${prefix}_`)) return true;
  const end = text.length - CHECKSUM_CHARACTERS;
  return BODY.test(text.slice(prefix.length + 1)) && text.slice(end) === checksum(text.slice(0, end));
}

/** What is stored of a key. A fast hash is enough for 256 random bits: there is nothing to guess. */
export function hashApiKey(key: string): Buffer;
export function hashApiKey(key: string, encoding: 'base64'): string;
export function hashApiKey(key: string, encoding: 'base64' | 'buffer' = 'buffer'): Buffer | string {
  return hash('sha256', key, encoding);
}

/** What people see of a key later: enough to tell their keys apart, too little to guess one. */
export function shownPrefix(key: string): string {
  const start = key.indexOf('_') + 1;
  return key.slice(0, start + SHOWN_CHARACTERS).slice(0, 32);
}

/** What is known of a key that was made elsewhere. */
export interface KnownKey {
  keyHash: Buffer;
  /** What people see of it in lists. */
  prefix: string;
}

/** A key that somebody has. */
export function knownKey(key: string): KnownKey {
  return { keyHash: hashApiKey(key), prefix: shownPrefix(key) };
}

/** A key of which only the SHA-256 is left, in hexadecimal digits or base64; `null` when it is no such hash. */
export function keyOfHash(text: string): KnownKey | null {
  const encoding = /^[0-9a-f]{64}$/i.test(text) ? 'hex' : /^[\w+/-]{43}=?$/.test(text) ? 'base64' : null;
  if (encoding === null) return null;
  const keyHash = Buffer.from(text, encoding);
  return { keyHash, prefix: `sha256:${keyHash.toString('hex').slice(0, SHOWN_CHARACTERS)}` };
}
