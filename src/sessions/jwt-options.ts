import type { JwtModuleOptions } from '@nestjs/jwt';
import type { Settings } from '../config/index.js';
import type { SigningKeys } from './signing-keys.js';

/** What a verifier pins (RFC 8725 §3.1, §3.8, §3.9). */
export function verificationOptions(settings: Settings): { algorithms: ['HS256']; issuer: string; audience: string } {
  return { algorithms: ['HS256'], issuer: settings.jwtIssuer, audience: settings.jwtAudience };
}

/**
 * How tokens are signed. The key goes in through `secretOrKeyProvider`, which takes a KeyObject where `secret` would
 * make do with a string, and a string is parsed again for every signature. What else there is to say, each call says:
 * what it would have to be merged with here takes as long as the signature.
 */
export function jwtOptions(keys: SigningKeys): JwtModuleOptions {
  return { secretOrKeyProvider: () => keys.jwtKey };
}
