import type { Settings } from '../../config/index.js';
import { type Transport, transportOf } from '../../database/index.js';
import { type Finding, findingIf } from '../finding.js';
import { isLocalHost, isPrivateHost } from '../hosts.js';

/** What goes over the network to the database and to Redis, and who could read it. */
export function checkTransport(settings: Settings): Finding[] {
  return [...checkDatabase(settings), ...checkRedis(settings)];
}

function checkDatabase({ databaseUrl: url }: Settings): Finding[] {
  if (url === undefined) return [];
  const transport = transportIn(url);
  if (transport === null || isLocalHost(transport.host)) return [];
  const { host, encrypted, verified } = transport;
  const severity = isPrivateHost(host) ? 'notice' : 'warning';
  if (!encrypted) {
    return [{
      id: 'database-over-plain-text',
      severity,
      title: `The connection to PostgreSQL at ${host} is not encrypted.`,
      meaning: 'Whoever is on the way there reads hashes, addresses and what is written, and can answer in the database’s place.',
      remedy: 'Add ?sslmode=verify-full&sslrootcert=/path/ca.pem to DATABASE_URL.',
    }];
  }
  return findingIf(!verified, {
    id: 'database-certificate-unchecked',
    severity,
    title: `The certificate of PostgreSQL at ${host} is not checked.`,
    meaning: 'Whoever is on the way there can pretend to be the database: encryption alone does not tell who is at the other end.',
    remedy: 'Set sslmode=verify-full in DATABASE_URL, with sslrootcert=/path/ca.pem, and leave uselibpqcompat out.',
  });
}

/** A file that cannot be read is told by whoever connects. */
function transportIn(url: string): Transport | null {
  try {
    return transportOf(url);
  } catch {
    return null;
  }
}

function checkRedis({ redisUrl }: Settings): Finding[] {
  if (redisUrl === undefined) return [];
  const { protocol, hostname, password } = new URL(redisUrl);
  if (isLocalHost(hostname)) return [];
  const severity = isPrivateHost(hostname) ? 'notice' : 'warning';
  return [
    ...findingIf(protocol === 'redis:', {
      id: 'redis-over-plain-text',
      severity,
      title: `The connection to Redis at ${hostname} is not encrypted.`,
      meaning: 'Whoever is on the way there can say that a revoked credential is still good, for as long as they keep at it.',
      remedy: 'Use rediss:// in REDIS_URL; NODE_EXTRA_CA_CERTS names an authority of your own.',
    }),
    ...findingIf(password === '', {
      id: 'redis-without-password',
      severity: 'warning',
      title: `REDIS_URL has no password for ${hostname}.`,
      meaning: 'Whoever reaches that port can say that a revoked credential is still good.',
      remedy: 'Give the account of Gatehouse a password in Redis (ACL SETUSER), and put it into REDIS_URL.',
    }),
  ];
}
