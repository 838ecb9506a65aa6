import type { DataSource } from 'typeorm';
import type { Settings } from '../config/index.js';
import { isAway } from '../errors/index.js';
import type { Guessing, OwnerPasswords } from '../users/index.js';
import { checkOwnerPasswords, checkOwners } from './checks/accounts.js';
import { checkBrowsers } from './checks/browsers.js';
import { checkClock, checkConnections, checkDurability, checkRole } from './checks/database-server.js';
import { checkDeclaredPasswords } from './checks/declared-passwords.js';
import { checkExposure } from './checks/exposure.js';
import { checkFiles } from './checks/files.js';
import { checkInstances } from './checks/instances.js';
import { checkProtection } from './checks/protection.js';
import { checkProxies } from './checks/proxies.js';
import { checkSchema } from './checks/schema.js';
import { checkSecretAges } from './checks/secret-ages.js';
import { checkSecrets } from './checks/secrets.js';
import { checkTransport } from './checks/transport.js';
import { checkWebhooks } from './checks/webhooks.js';
import { bySeverity, type Finding } from './finding.js';

/** A database to look at. Nothing is written to it. */
export interface ExaminedDatabase {
  readonly dataSource: DataSource;
  readonly passwords: OwnerPasswords;
  /** `null` leaves the passwords of owners alone. */
  readonly guessing: Guessing | null;
}

/** What was found. */
export interface Examination {
  /** The worst first. */
  readonly findings: readonly Finding[];
  /** Whether the passwords of owners have all been tried. */
  readonly complete: boolean;
}

/** What the settings and the files of this machine say. */
export async function examineSettings(settings: Settings): Promise<Finding[]> {
  const checks = [checkProxies, checkSecrets, checkProtection, checkBrowsers, checkTransport, checkExposure, checkFiles];
  return [...checks.flatMap((check) => check(settings)), ...(await checkDeclaredPasswords(settings))].sort(bySeverity);
}

/**
 * What the database says. A check that cannot be made is a finding itself.
 * @throws Error where the database is away
 */
export async function examineDatabase(settings: Settings, { dataSource, passwords, guessing }: ExaminedDatabase): Promise<Examination> {
  const schema = await checkSchema(dataSource);
  const behind = schema.some(({ id }) => id === 'database-migrations-missing');
  const findings = [
    ...schema,
    ...(await attempt('the clock', checkClock(dataSource))),
    ...(await attempt('durability', checkDurability(dataSource))),
    ...(await attempt('the role', checkRole(dataSource, settings))),
  ];
  // The rest asks tables that may not be there.
  if (behind) return { findings: findings.sort(bySeverity), complete: false };
  for (const [what, check] of [
    ['the connections', () => checkConnections(dataSource, settings)],
    ['the servers', () => checkInstances(dataSource, settings)],
    ['the owners', () => checkOwners(dataSource, settings)],
    ['the age of secrets', () => checkSecretAges(dataSource, settings)],
    ['the web hooks', () => checkWebhooks(dataSource)],
  ] as const) findings.push(...(await attempt(what, check())));
  if (guessing === null) return { findings: findings.sort(bySeverity), complete: false };
  let complete = false;
  findings.push(...(await attempt('the passwords of owners', passwords.findKnown(guessing).then((known) => {
    ({ complete } = known);
    return checkOwnerPasswords(known);
  }))));
  return { findings: findings.sort(bySeverity), complete };
}

async function attempt(what: string, check: Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check;
  } catch (error) {
    if (isAway(error)) throw error;
    return [{
      id: 'database-unexamined',
      severity: 'notice',
      title: `The database did not let ${what} be looked at: ${error instanceof Error ? error.message : String(error)}.`,
      meaning: 'Whether something is wrong there is not known.',
      remedy: 'Give the role of DATABASE_URL the grants of deploy/README.md, “The database’s roles”.',
    }];
  }
}
