import type { ReadHash } from './foreign-hash.js';
import { faultOfLengths, faultOfParameters, parsePhc } from './phc.js';

/**
 * What one verification may cost: three may run at a time, so that is three times this memory. Twice the 64 MiB of
 * RFC 9106's second recommended option; its first, 2 GiB, is no amount for somebody else's login.
 */
const MOST_MEMORY_KIB = 128 * 1024;
/** Passes over the memory, all together: 1 GiB takes about a second. */
const MOST_WORK_KIB = 1024 * 1024;
const BOUNDS = { m: [8, MOST_MEMORY_KIB], t: [1, 64], p: [1, 16] } as const;
const VERSIONS = [0x10, 0x13];

/** Argon2 (RFC 9106), as its reference implementation writes it. */
export function readArgon2(text: string): ReadHash {
  const phc = parsePhc(text);
  if (phc === null) return { fault: 'is no well-formed Argon2 hash' };
  // Hashes from before version 19 do not say which one they are.
  if (!VERSIONS.includes(phc.version ?? 0x10)) return { fault: `is of a version of Argon2 that is not known: ${String(phc.version)}` };
  const fault = faultOfParameters(phc, BOUNDS) ?? faultOfLengths(phc) ?? faultOfWork(phc.parameters);
  if (fault !== null) return { fault };
  return {
    verify: async (password) => {
      // Only now: whoever has no such hashes needs no such library.
      const { verify } = await import('@node-rs/argon2');
      return verify(text, password);
    },
  };
}

function faultOfWork(parameters: ReadonlyMap<string, number>): string | null {
  const { m, t, p } = Object.fromEntries(parameters) as { m: number; t: number; p: number };
  if (m < 8 * p) return 'has less memory than its lanes need (RFC 9106 §3.1)';
  return m * t > MOST_WORK_KIB ? `takes too long: m×t=${String(m * t)}, and up to ${String(MOST_WORK_KIB)} is accepted` : null;
}
