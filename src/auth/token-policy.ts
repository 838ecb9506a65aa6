import type { Settings } from '../config/index.js';
import type { User } from '../users/index.js';

/** The values that a wire chooses for its sessions and tokens. What a session is, the core decides. */
export interface TokenPolicy {
  /** The dialect's name; `null` for the native API. */
  dialect: string | null;
  accessTtlSeconds: number;
  /** How long a session lasts without being refreshed. */
  sessionTtlSeconds: number;
  /** Whether refresh tokens change with every use. */
  rotating: boolean;
  /** Claims that the wire's clients read, beside the core's own. */
  claims?: (user: User) => Record<string, unknown>;
}

/** The native API's policy. */
export function nativePolicy(settings: Settings, rememberMe: boolean): TokenPolicy {
  return {
    dialect: null,
    accessTtlSeconds: settings.accessTokenTtl,
    sessionTtlSeconds: rememberMe ? settings.refreshTokenTtlRemembered : settings.refreshTokenTtl,
    rotating: true,
  };
}
