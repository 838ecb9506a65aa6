import type { DataSource } from 'typeorm';
import { jwtSecretFile, type Settings } from '../../config/index.js';
import { type Finding, findingIf } from '../finding.js';
import { type AgeingSecret, firstSeen } from '../secret-ages.js';

const DAY_SECONDS = 86_400;
const YEAR_DAYS = 365;

/** Whether the secrets that sign tokens have been in use for too long. */
export async function checkSecretAges(dataSource: DataSource, settings: Settings): Promise<Finding[]> {
  const kept = settings.databaseUrl === undefined ? generated(settings) : undefined;
  const secret = settings.jwtSecret ?? kept;
  const age = await daysSince(dataSource, 'JWT_SECRET', secret);
  const previousAge = await daysSince(dataSource, 'JWT_SECRET_PREVIOUS', settings.jwtSecretPrevious);
  const inFile = secret === kept;
  return [
    ...findingIf(age > YEAR_DAYS, {
      id: 'jwt-secret-old',
      severity: 'warning',
      title: `${inFile ? 'The generated JWT secret' : 'JWT_SECRET'} has been in use for ${String(age)} days.`,
      meaning: 'Whoever saw it in all that time, in a backup or as somebody who has left, makes tokens for everybody.',
      remedy: `Put ${inFile ? 'what is in jwt-secret in DATA_DIR' : 'this one'} into JWT_SECRET_PREVIOUS and a new one into JWT_SECRET (openssl rand -base64 48): nobody is signed out.`,
    }),
    ...findingIf(previousAge * DAY_SECONDS > settings.sessionMaxAge, {
      id: 'jwt-secret-previous-kept',
      severity: 'warning',
      title: `JWT_SECRET_PREVIOUS has been set for ${String(previousAge)} days.`,
      meaning: 'No session is as old as that, so it lets nobody in but who has stolen it.',
      remedy: 'Take JWT_SECRET_PREVIOUS out of the environment.',
    }),
  ];
}

/** What cannot be read is told by the server that cannot start with it. */
function generated({ dataDir }: Settings): string | undefined {
  try {
    return jwtSecretFile(dataDir).read() ?? undefined;
  } catch {
    return undefined;
  }
}

async function daysSince(dataSource: DataSource, name: AgeingSecret, secret: string | undefined): Promise<number> {
  const since = secret === undefined ? null : await firstSeen(dataSource, name, secret);
  return since === null ? 0 : Math.floor((Date.now() - since.getTime()) / (1000 * DAY_SECONDS));
}
