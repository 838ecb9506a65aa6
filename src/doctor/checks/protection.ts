import type { Settings } from '../../config/index.js';
import { type Finding, findingIf } from '../finding.js';

const MOST_ATTEMPTS_TO_LOCK = 20;
const SHORTEST_LOCK_SECONDS = 60;
const MOST_ATTEMPTS_A_MINUTE = 1_000;
const CHEAPEST_HASH = 12;

/** What stands between a stranger and an account. */
export function checkProtection(settings: Settings): Finding[] {
  const { authDisabled, authDisabledRemote, allowDefaultPassword, allowRemoteFirstRun, bcryptCost } = settings;
  return [
    ...findingIf(authDisabled, {
      id: 'no-authentication',
      severity: authDisabledRemote ? 'error' : 'warning',
      title: authDisabledRemote
        ? 'AUTH_DISABLED and AUTH_DISABLED_REMOTE are on: every request from anywhere is the owner’s.'
        : 'AUTH_DISABLED is on: every request from this machine is the owner’s.',
      meaning: authDisabledRemote ? 'Whoever reaches this server may do everything.' : 'Every program and every account on this machine may do everything.',
      remedy: 'Take AUTH_DISABLED (or --no-auth) away; NODE_ENV=production refuses it.',
    }),
    ...findingIf(allowDefaultPassword, {
      id: 'default-password-allowed',
      severity: 'error',
      title: 'ALLOW_DEFAULT_PASSWORD is on.',
      meaning: 'The seeded account may be signed in to from anywhere with the password that is in the documentation.',
      remedy: 'Change the password of LOCAL_EMAIL, then take ALLOW_DEFAULT_PASSWORD away.',
    }),
    ...findingIf(allowRemoteFirstRun, {
      id: 'remote-first-run-allowed',
      severity: 'warning',
      title: 'ALLOW_REMOTE_FIRST_RUN is on.',
      meaning: 'Until the set-up is complete, whoever reaches this server is signed in without a password.',
      remedy: 'Take ALLOW_REMOTE_FIRST_RUN away, and go through the set-up on this machine.',
    }),
    ...checkLimits(settings),
    ...findingIf(bcryptCost < CHEAPEST_HASH, {
      id: 'password-hash-cheap',
      severity: 'notice',
      title: `BCRYPT_COST is ${String(bcryptCost)}.`,
      meaning: 'Whoever steals the database tries passwords several times as fast as with the default of 12.',
      remedy: 'Take BCRYPT_COST away, or set it to 12 or more; passwords are hashed anew as people sign in.',
    }),
  ];
}

function checkLimits(settings: Settings): Finding[] {
  const { rateLimitEnabled, rateLimitAttempts, rateLimitWindow, lockoutAttempts, lockoutDuration } = settings;
  const aMinute = (rateLimitAttempts * 60) / rateLimitWindow;
  return [
    ...findingIf(!rateLimitEnabled || aMinute > MOST_ATTEMPTS_A_MINUTE, {
      id: 'rate-limit-off',
      severity: 'warning',
      title: rateLimitEnabled ? `One address may try to sign in ${String(Math.round(aMinute))} times a minute.` : 'RATE_LIMIT_ENABLED is off.',
      meaning: 'One machine can try a common password on every account, or keep the server busy with hashing.',
      remedy: 'Take RATE_LIMIT_ENABLED, RATE_LIMIT_ATTEMPTS and RATE_LIMIT_WINDOW away; behind a proxy set TRUST_PROXY, so that callers have addresses of their own.',
    }),
    ...findingIf(lockoutAttempts > MOST_ATTEMPTS_TO_LOCK || lockoutDuration < SHORTEST_LOCK_SECONDS, {
      id: 'lockout-loose',
      severity: 'warning',
      title: `An account is locked after ${String(lockoutAttempts)} wrong passwords, for ${String(lockoutDuration)} s.`,
      meaning: 'Passwords can be tried on an account by the thousand each day.',
      remedy: 'Take LOCKOUT_ATTEMPTS and LOCKOUT_DURATION away: the defaults are 5 and 15m.',
    }),
  ];
}
