import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';

const CONNECT_TIMEOUT_MS = 2_000;
/** A connection that was given up is cut when the other side has not closed it by then. */
const GOODBYE_MS = 200;

/**
 * What ioredis needs to reach `REDIS_URL`. The URL is read here: ioredis would take any option of its own from the
 * query. Certificates are checked against Node's authorities and those of `NODE_EXTRA_CA_CERTS`.
 */
export function redisOptions(url: string, pause: () => number): RedisOptions {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: port === '' ? 6379 : Number(port),
    db: Number(pathname.slice(1)),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: GOODBYE_MS,
    lazyConnect: true,
    // RedisConnection asks for more than this does. And a connection is ready at once or never: while ioredis still has
    // something to ask (its name, the check), one that is lost at that moment counts as ready, and is never replaced.
    enableReadyCheck: false,
    disableClientInfo: true,
    // Nothing waits for a connection, and nothing is sent a second time: whoever asks has somewhere else to go.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: pause,
  };
}
