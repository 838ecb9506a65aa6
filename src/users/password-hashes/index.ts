import { faultOfBcrypt } from './bcrypt-hash.js';
import { readForeignHash } from './foreign-hash.js';

export { costOfBcrypt, decoyOfCost, hashWithBcrypt, isBcrypt, mayDiffer, verifyBcrypt, verifyBcryptOfOthers } from './bcrypt-hash.js';
export { type ForeignHash, readForeignHash } from './foreign-hash.js';

/**
 * What is wrong with a password hash that is to be imported, as a sentence without its subject and without the hash;
 * `null` when it can be verified at no more cost than a server can bear.
 */
export function findHashFault(text: string): string | null {
  if (text.startsWith('$2')) return faultOfBcrypt(text);
  const read = readForeignHash(text);
  if (read === null) return 'is no hash of a kind that is known: bcrypt, or Argon2, scrypt or PBKDF2 as a PHC string';
  return 'fault' in read ? read.fault : null;
}
