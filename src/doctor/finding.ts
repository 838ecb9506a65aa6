/** Everything that the doctor may find, as a closed list. A released id never changes its meaning: scripts look for it. */
export const FINDING_IDS = [
  'setting-refused',
  'proxy-trusts-everybody',
  'proxy-not-trusted',
  'proxy-passed-by',
  'jwt-secret-guessable',
  'jwt-secret-old',
  'jwt-secret-previous-kept',
  'api-key-guessable',
  'declared-password-known',
  'bootstrap-password-kept',
  'owner-missing',
  'owner-password-known',
  'no-authentication',
  'default-password-allowed',
  'remote-first-run-allowed',
  'rate-limit-off',
  'lockout-loose',
  'password-hash-cheap',
  'cors-over-http',
  'cors-many-origins',
  'cors-local-pages',
  'metrics-public',
  'not-production',
  'database-unreachable',
  'database-over-plain-text',
  'database-certificate-unchecked',
  'database-clock-differs',
  'database-connections-short',
  'database-migrations-missing',
  'database-newer',
  'database-not-durable',
  'database-superuser',
  'database-unexamined',
  'redis-over-plain-text',
  'redis-without-password',
  'principal-cache-not-shared',
  'secret-file-readable',
  'env-file-readable',
  'data-dir-open',
  'webhooks-dead',
  'webhooks-over-http',
  'audit-kept-briefly',
] as const;

/** What a finding is about. */
export type FindingId = (typeof FINDING_IDS)[number];

/**
 * How bad it is: `error`, somebody can get in, or something does not work; `warning`, a protection is missing; `notice`,
 * worth knowing.
 */
export const SEVERITIES = ['error', 'warning', 'notice'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** Something that is wrong with an installation. Never holds a secret. */
export interface Finding {
  readonly id: FindingId;
  readonly severity: Severity;
  /** What was found, in one sentence. */
  readonly title: string;
  /** What that means. */
  readonly meaning: string;
  /** The setting or the command that mends it. */
  readonly remedy: string;
}

/** The worst first; of the same severity, in the order of the list above. */
export function bySeverity(a: Finding, b: Finding): number {
  return SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || FINDING_IDS.indexOf(a.id) - FINDING_IDS.indexOf(b.id);
}

/** A finding where something is so, and none where it is not. */
export function findingIf(wrong: boolean, finding: Finding): Finding[] {
  return wrong ? [finding] : [];
}
