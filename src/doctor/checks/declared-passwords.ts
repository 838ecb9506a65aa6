import type { Settings } from '../../config/index.js';
import { isKnownPassword } from '../../users/index.js';
import type { Finding } from '../finding.js';

const DECLARED = [
  ['adminPassword', 'ADMIN_PASSWORD', 'adminEmail'],
  ['bootstrapOwnerPassword', 'BOOTSTRAP_OWNER_PASSWORD', 'bootstrapOwnerEmail'],
  ['localPassword', 'LOCAL_PASSWORD', 'localEmail'],
] as const;

/** Whether passwords among the settings, to which no rule of strength applies, are ones that are tried first. */
export async function checkDeclaredPasswords(settings: Settings): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [property, variable, email] of DECLARED) {
    const password = settings[property];
    if (password === undefined || !(await isKnownPassword(password, [settings[email] ?? null]))) continue;
    findings.push({
      id: 'declared-password-known',
      severity: 'error',
      title: `${variable} is among the passwords that are tried first.`,
      meaning: 'It is in a documentation or in the lists that attackers use, and it is the password of an owner.',
      remedy: variable === 'BOOTSTRAP_OWNER_PASSWORD'
        ? 'Change the owner’s password (gatehouse user set-password <owner>), and take the variable away.'
        : `Set ${variable} to something that nobody else would think of, and start again.`,
    });
  }
  return findings;
}
