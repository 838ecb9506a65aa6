import type { TokenPolicy } from '../../auth/index.js';

/** Access tokens for 30 minutes; a refresh token for 7 days that stays the same. */
export const CHATOPS_POLICY: TokenPolicy = {
  dialect: 'chatops',
  accessTtlSeconds: 30 * 60,
  sessionTtlSeconds: 7 * 24 * 60 * 60,
  rotating: false,
};

export const PASSWORD_MIN_LENGTH = 8;
