import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseEnv } from 'node:util';
import { jwtSecretFile, SETTING_VARIABLES, type Settings } from '../../config/index.js';
import { type Finding, findingIf } from '../finding.js';

const READABLE_BY_ALL = 0o004;
const READABLE_BY_OTHERS = 0o044;
const WRITABLE_BY_ALL = 0o002;
/** A container's own: nobody else is in there, and its files come as they are mounted. */
const CONTAINER_SECRETS = /^\/(?:var\/)?run\/secrets\//;

/** Whether accounts of this machine that have nothing to do with the server can read its secrets, or write its data. */
export function checkFiles(settings: Settings): Finding[] {
  // What rights mean there, mode bits do not say.
  if (process.platform === 'win32') return [];
  return [...checkSecretFiles(settings), ...checkEnvFile(), ...checkDataDir(settings)];
}

function checkSecretFiles({ secretFiles = [] }: Settings): Finding[] {
  return secretFiles.filter(({ path }) => !CONTAINER_SECRETS.test(path) && has(path, READABLE_BY_ALL)).map(({ variable, path }) => ({
    id: 'secret-file-readable',
    severity: 'error',
    title: `The file of ${variable} can be read by every account of this machine.`,
    meaning: 'Whoever runs anything here has the secret.',
    remedy: `chmod o-rwx ${quoted(path)}, and take another secret if others use this machine.`,
  }));
}

function checkEnvFile(): Finding[] {
  if (!has('.env', READABLE_BY_ALL)) return [];
  const secrets = secretsIn('.env');
  return findingIf(secrets.length > 0, {
    id: 'env-file-readable',
    severity: 'error',
    title: `.env holds ${secrets.join(', ')} and can be read by every account of this machine.`,
    meaning: 'Whoever runs anything here has these secrets.',
    remedy: 'chmod 600 .env, and take other secrets if others use this machine.',
  });
}

function secretsIn(path: string): string[] {
  const values = parseEnv(readFileSync(path, 'utf8'));
  return SETTING_VARIABLES.filter(({ name, secret }) => secret === true && (values[name] ?? '') !== '').map(({ name }) => name);
}

function checkDataDir({ dataDir, databaseUrl }: Settings): Finding[] {
  if (databaseUrl !== undefined) return [];
  const { path } = jwtSecretFile(dataDir);
  const open = [
    ...(has(dirname(path), WRITABLE_BY_ALL) ? [`DATA_DIR ${dataDir} can be written by every account of this machine`] : []),
    ...(has(path, READABLE_BY_OTHERS) ? [`${path} can be read by other accounts of this machine`] : []),
  ];
  return findingIf(open.length > 0, {
    id: 'data-dir-open',
    severity: 'error',
    title: `${open.join(', and ')}.`,
    meaning: 'Whoever runs anything here can read the secret that signs tokens, or put another in its place.',
    remedy: `chmod o-w ${quoted(dataDir)} and chmod 600 ${quoted(path)}; if others use this machine, delete that file and start again, which signs everybody out.`,
  });
}

/** Of what is not there, or may not be looked at, nothing is said. */
function has(path: string, bits: number): boolean {
  try {
    return (statSync(path).mode & bits) !== 0;
  } catch {
    return false;
  }
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
