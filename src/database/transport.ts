import { Client } from 'pg';
import { strictTls } from './tls.js';

/** Where a connection leads, and who could listen in on it. */
export interface Transport {
  /** A name, an address, or the directory of a Unix socket. */
  readonly host: string;
  readonly encrypted: boolean;
  /** Whether the server's certificate and the name in it are checked, without which encryption may end anywhere. */
  readonly verified: boolean;
}

/**
 * What the driver makes of a connection string, the environment's `PG…` included.
 * @throws Error where it names a file that cannot be read
 */
export function transportOf(url: string): Transport {
  const { host, ssl } = new Client({ connectionString: strictTls(url) }) as unknown as { host: string; ssl: boolean | TlsOptions };
  const { rejectUnauthorized = true, checkServerIdentity } = typeof ssl === 'object' ? ssl : {};
  return { host, encrypted: ssl !== false, verified: rejectUnauthorized && checkServerIdentity === undefined };
}

interface TlsOptions {
  readonly rejectUnauthorized?: boolean;
  readonly checkServerIdentity?: unknown;
}
