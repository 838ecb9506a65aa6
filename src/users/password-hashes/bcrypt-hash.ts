import { createHash } from 'node:crypto';
import bcrypt from 'bcrypt';

/** bcrypt reads this many bytes, and stops at the first NUL. */
const BCRYPT_BYTES = 72;
/** The least that there is, and the most that `BCRYPT_COST` may be: one more takes twice as long. */
const CHEAPEST = 4;
const COSTLIEST = 15;

const FORM = /^\$2([aby])\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** What PHP and Apache write for what everybody else calls `$2b$`; node's bcrypt does not know it. */
const PHP_VERSION = /^\$2y\$/;

/** What is wrong with a bcrypt hash that is to be imported, without the hash; `null` when nothing is. */
export function faultOfBcrypt(text: string): string | null {
  const [, version, cost] = FORM.exec(text) ?? [];
  if (version === undefined) return 'is no well-formed bcrypt hash';
  if (Number(cost) >= CHEAPEST && Number(cost) <= COSTLIEST) return null;
  return `has the cost ${String(cost)}, and ${String(CHEAPEST)} to ${String(COSTLIEST)} are accepted`;
}

/** Whether a text has the form of a bcrypt hash. */
export function isBcrypt(text: string): boolean {
  return FORM.test(text);
}

/** The cost of a bcrypt hash. */
export function costOfBcrypt(text: string): number {
  return Number(FORM.exec(text)?.[2]);
}

/** A hash of a cost that no password has: comparing with it takes as long as with a real one. */
export function decoyOfCost(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(22)}${'/'.repeat(31)}`;
}

/** Hashes a password, all of it, however long it is. */
export function hashWithBcrypt(password: string, cost: number): Promise<string> {
  return bcrypt.hash(wholeInput(password), cost);
}

/** Whether a hash is one that `hashWithBcrypt` made of the password. */
export function verifyBcrypt(password: string, hash: string): Promise<boolean> {
  return bcrypt.compare(wholeInput(password), hash.replace(PHP_VERSION, '$2b$$'));
}

/** What the digest of a long password begins with: whoever has that digest does not have the password. */
const LIKE_A_DIGEST = /^[A-Za-z0-9+/]{72}/;

/**
 * Whether another system may have hashed something else of a password than is hashed here: it as it was typed, or what
 * bcrypt reads of it. Not what comes before a NUL: that is no part of a password to ask for.
 */
export function mayDiffer(password: string, normalized: string): boolean {
  return (password !== normalized || !isRead(password)) && !password.includes('\0');
}

/** Whether a hash is one that another system made of the password: of its first 72 bytes. */
export async function verifyBcryptOfOthers(password: string, hash: string): Promise<boolean> {
  // Cut here: the library would repeat the fault of old `$2a$` implementations with more than 254 bytes.
  const bytes = Buffer.from(password, 'utf8').subarray(0, BCRYPT_BYTES);
  const matches = await bcrypt.compare(bytes, hash.replace(PHP_VERSION, '$2b$$'));
  // Only `$2b$` may be one of ours.
  return matches && !(hash.startsWith('$2b$') && LIKE_A_DIGEST.test(password));
}

/**
 * What bcrypt is given: the password itself where it can read all of it, so that other systems' hashes verify, else a
 * digest of it, so that what comes after the 72nd byte or a NUL counts too.
 */
function wholeInput(password: string): string {
  return isRead(password) ? password : createHash('sha512').update(password, 'utf8').digest('base64');
}

/**
 * Whether bcrypt reads all of a password, and the NUL that ends it: of one of exactly 72 bytes it could not tell whether
 * there was more.
 */
function isRead(password: string): boolean {
  return Buffer.byteLength(password, 'utf8') < BCRYPT_BYTES && !password.includes('\0');
}
