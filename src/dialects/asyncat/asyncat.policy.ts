import type { TokenPolicy } from '../../auth/index.js';
import { parseDuration, type Settings } from '../../config/index.js';

/** Fewest characters of a password that somebody chooses on this wire. */
export const MIN_LENGTH = 8;

/** One token, without a refresh; clients read the address from it. */
export function asyncatPolicy({ jwtExpiresIn }: Settings): TokenPolicy {
  const seconds = Number(parseDuration(jwtExpiresIn));
  return {
    dialect: 'asyncat',
    accessTtlSeconds: seconds,
    sessionTtlSeconds: seconds,
    rotating: false,
    claims: ({ email }) => ({ email }),
  };
}
