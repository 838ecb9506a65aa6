import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { ReadHash } from './foreign-hash.js';
import { faultOfLengths, faultOfParameters, parsePhc } from './phc.js';

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

const BOUNDS = { ln: [1, 20], r: [1, 32], p: [1, 16] } as const;
const MIB = 1024 * 1024;
/** What one verification may take; as with Argon2. */
const MOST_MEMORY = 128 * MIB;
/** The same memory, however often it is filled: some two seconds, as with PBKDF2. */
const MOST_WORK = 512 * MIB;

/** scrypt (RFC 7914): `$scrypt$ln=16,r=8,p=1$salt$hash`, where `ln` is the binary logarithm of N. */
export function readScrypt(text: string): ReadHash {
  const phc = parsePhc(text);
  if (phc?.version !== null) return { fault: 'is no well-formed scrypt hash' };
  const fault = faultOfParameters(phc, BOUNDS) ?? faultOfLengths(phc);
  if (fault !== null) return { fault };
  const { ln, r, p } = Object.fromEntries(phc.parameters) as { ln: number; r: number; p: number };
  if (ln >= 16 * r) return { fault: 'has a greater N than its r allows (RFC 7914 §2)' };
  const N = 2 ** ln;
  const memory = 128 * N * r;
  if (memory > MOST_MEMORY) return { fault: `needs ${String(memory / MIB)} MiB of memory, and up to ${String(MOST_MEMORY / MIB)} are accepted` };
  if (memory * p > MOST_WORK) return { fault: `takes too long: ${String(p)} times ${String(memory / MIB)} MiB, and ${String(MOST_WORK / MIB)} together are accepted` };
  // What node counts beside the memory itself.
  const maxmem = memory + 128 * r * p + MIB;
  return { verify: async (password) => timingSafeEqual(await derive(password, phc.salt, phc.hash.length, { N, r, p, maxmem }), phc.hash) };
}
