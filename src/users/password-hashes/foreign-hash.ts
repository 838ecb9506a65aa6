import { readArgon2 } from './argon2-hash.js';
import { readPbkdf2 } from './pbkdf2-hash.js';
import { readScrypt } from './scrypt-hash.js';

/** A hash that another system made, by something else than bcrypt. */
export interface ForeignHash {
  /** Whether it is the hash of a password, compared in constant time. */
  verify(password: string): Promise<boolean>;
}

/** A hash that can be verified, or what is wrong with it: a sentence without its subject, and without the hash. */
export type ReadHash = ForeignHash | { readonly fault: string };

const READERS: readonly (readonly [id: RegExp, read: (text: string) => ReadHash])[] = [
  [/^\$argon2(id|i|d)\$/, readArgon2],
  [/^\$scrypt\$/, readScrypt],
  [/^\$pbkdf2(-[a-z0-9]+)?\$/, readPbkdf2],
];

/** Reads a hash of another system; `null` when it is of none of the kinds that are known here. */
export function readForeignHash(text: string): ReadHash | null {
  const reader = READERS.find(([id]) => id.test(text));
  return reader === undefined ? null : reader[1](text);
}
