import type { DataSource } from 'typeorm';
import type { Settings } from '../../config/index.js';
import type { KnownPasswords } from '../../users/index.js';
import { type Finding, findingIf } from '../finding.js';

interface Owners {
  readonly all: number;
  readonly active: number;
  readonly signed_in: number;
}

/** Whether there is an owner, and whether the variables that made one are still needed. */
export async function checkOwners(dataSource: DataSource, settings: Settings): Promise<Finding[]> {
  const [owners] = await dataSource.query<[Owners]>(
    `SELECT count(*)::int AS all, count(*) FILTER (WHERE disabled_at IS NULL)::int AS active, count(last_login_at)::int AS signed_in
       FROM users WHERE role = 'owner'`,
  );
  return [
    // Without authentication everybody is the owner, which is a finding of its own.
    ...findingIf(owners.active === 0 && !settings.authDisabled, owners.all > 0 ? {
      id: 'owner-missing',
      severity: 'error',
      title: 'All owners are disabled.',
      meaning: 'Nobody can administer admins and owners, or read this.',
      remedy: 'gatehouse owner recover',
    } : {
      id: 'owner-missing',
      severity: 'error',
      title: 'There is no owner yet.',
      meaning: 'Whoever reads the output of the server, where the command of the set-up claim is, can become the owner.',
      remedy: 'Claim it with the command that the server printed at its start (each start prints another), or set BOOTSTRAP_OWNER_EMAIL and BOOTSTRAP_OWNER_PASSWORD.',
    }),
    ...findingIf(settings.bootstrapOwnerPassword !== undefined && owners.signed_in > 0, {
      id: 'bootstrap-password-kept',
      severity: 'warning',
      title: 'BOOTSTRAP_OWNER_PASSWORD is still set, and the owner has signed in.',
      meaning: 'It is of no use any more, and whoever reads the environment or the file reads a password that is probably still good.',
      remedy: 'Take BOOTSTRAP_OWNER_PASSWORD out of the environment.',
    }),
  ];
}

/** Owners whose passwords are tried first. */
export function checkOwnerPasswords({ owners }: KnownPasswords): Finding[] {
  return owners.map((name) => ({
    id: 'owner-password-known',
    severity: 'error',
    title: `The owner ${name} has a password that is tried first.`,
    meaning: 'It is in a documentation, in the lists that attackers use, or the name of the account: whoever tries it may do everything.',
    remedy: `gatehouse user set-password ${name}`,
  }));
}
