import type { Settings } from '../../config/index.js';
import { type Finding, findingIf } from '../finding.js';
import { whyGuessable } from '../guessable.js';

const KEYS = [['bootstrapApiKey', 'BOOTSTRAP_API_KEY'], ['authApiKey', 'AUTH_API_KEY']] as const;

/** Whether the secrets among the settings look as if somebody had made them up. */
export function checkSecrets(settings: Settings): Finding[] {
  return [
    ...checkSigningSecret('JWT_SECRET', settings.jwtSecret),
    ...checkSigningSecret('JWT_SECRET_PREVIOUS', settings.jwtSecretPrevious),
    ...KEYS.flatMap(([property, variable]) => checkApiKey(variable, settings[property])),
  ];
}

function checkSigningSecret(variable: string, secret: string | undefined): Finding[] {
  const why = secret === undefined ? null : whyGuessable(secret);
  return findingIf(why !== null, {
    id: 'jwt-secret-guessable',
    severity: 'error',
    title: `${variable} could be guessed, because it ${why ?? ''}.`,
    meaning: 'Who has a single token can try secrets on it without asking this server. Who finds it makes tokens for everybody, the owner included.',
    remedy: variable === 'JWT_SECRET'
      ? 'Make another one: openssl rand -base64 48. Do not keep this one in JWT_SECRET_PREVIOUS.'
      : 'Take JWT_SECRET_PREVIOUS out of the environment; whoever has a token of it signs in again.',
  });
}

function checkApiKey(variable: string, key: string | undefined): Finding[] {
  const why = key === undefined ? null : whyGuessable(key);
  return findingIf(why !== null, {
    id: 'api-key-guessable',
    severity: 'error',
    title: `${variable} could be guessed, because it ${why ?? ''}.`,
    meaning: 'Whoever guesses it may do what the key may, without a password and without being locked out.',
    remedy: `Make another one (openssl rand -hex 32), set ${variable} to it, and revoke the key that was made of this one.`,
  });
}
