import type { TokenPolicy } from '../../auth/index.js';
import type { Settings } from '../../config/index.js';
import type { User } from '../../users/index.js';

/** One token, without a refresh; clients read who it is from `username`. */
export function osmedeusPolicy({ jwtExpirationMinutes }: Settings): TokenPolicy {
  const seconds = jwtExpirationMinutes * 60;
  return {
    dialect: 'osmedeus',
    accessTtlSeconds: seconds,
    sessionTtlSeconds: seconds,
    rotating: false,
    claims: (user) => ({ username: usernameOf(user) }),
  };
}

/** What the wire calls the user: some accounts have an email address alone. */
export function usernameOf({ username, email }: User): string {
  return username ?? email ?? '';
}
