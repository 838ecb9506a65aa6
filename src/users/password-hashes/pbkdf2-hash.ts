import { pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { ReadHash } from './foreign-hash.js';
import { faultOfLengths, faultOfParameters, parsePhc } from './phc.js';

const derive = promisify(pbkdf2);

const SHA1 = { name: 'sha1', bytes: 20 };
const DIGESTS: Partial<Record<string, typeof SHA1>> = {
  pbkdf2: SHA1, 'pbkdf2-sha1': SHA1, 'pbkdf2-sha256': { name: 'sha256', bytes: 32 }, 'pbkdf2-sha512': { name: 'sha512', bytes: 64 },
};
/** Some two seconds; three times what is recommended for SHA-256 today. */
const MOST_ITERATIONS = 2_000_000;
const ITERATIONS = { i: [1, MOST_ITERATIONS] } as const;
const ITERATIONS_AND_LENGTH = { ...ITERATIONS, l: [16, 64] } as const;

/**
 * PBKDF2 (RFC 8018 §5.2): `$pbkdf2-sha256$i=600000$salt$hash`, with or without the length `l` of the hash; and as Python's
 * passlib has it, with the bare number of iterations and `.` in place of `+`.
 */
export function readPbkdf2(text: string): ReadHash {
  const phc = parsePhc(text.replace(/^(\$[a-z0-9-]+\$)(\d{1,10}\$)/, '$1i=$2').replaceAll('.', '+'));
  if (phc?.version !== null) return { fault: 'is no well-formed PBKDF2 hash' };
  const digest = DIGESTS[phc.id];
  if (digest === undefined) return { fault: 'is a PBKDF2 hash by a digest that is not known; sha1, sha256 and sha512 are' };
  const length = phc.parameters.get('l');
  const fault = faultOfParameters(phc, length === undefined ? ITERATIONS : ITERATIONS_AND_LENGTH) ?? faultOfLengths(phc);
  if (fault !== null) return { fault };
  if (length !== undefined && length !== phc.hash.length) return { fault: 'is not as long as it says' };
  const iterations = phc.parameters.get('i') ?? 0;
  // A hash longer than its digest is made in blocks, each of which takes all the iterations.
  const blocks = Math.ceil(phc.hash.length / digest.bytes);
  if (iterations * blocks > MOST_ITERATIONS) {
    return { fault: `takes too long: ${String(iterations)} iterations for each of ${String(blocks)} blocks, and ${String(MOST_ITERATIONS)} together are accepted` };
  }
  return { verify: async (password) => timingSafeEqual(await derive(password, phc.salt, iterations, phc.hash.length, digest.name), phc.hash) };
}
