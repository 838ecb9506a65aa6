// What is measured, one load after the other, in each round.
import { CONNECTIONS, PASSWORD, STORM } from './servers.mjs';
import { addSessions } from './seed.mjs';

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const withTokens = (path, tokens) => tokens.map((token) => ({ path, headers: bearer(token) }));
const withKeys = (path, keys) => keys.map((key) => ({ path, headers: { 'x-api-key': key } }));

/** Sessions that a round logs out of. */
const LOGOUTS = 1_500;

/**
 * The loads: what they are called, the server they are for, and how to make the requests of a round.
 * @returns a list of `{ name, server, job }`; `job` may make rows, and is called before each round
 */
export function scenariosOf({ servers, seeded }) {
  const { tokens, keys, people, betterAuth, db } = seeded;
  const fixed = (name, server, requests, more = {}) => ({ name, server, job: () => ({ kind: 'fixed', requests, ...more }) });
  const logins = people.map(({ email }) => ({ method: 'POST', path: '/api/v1/auth/login', body: JSON.stringify({ email, password: PASSWORD }) }));
  const guarded = (mode) =>
    servers[mode] === undefined
      ? []
      : [
          fixed(`guarded, JWT, ${mode}`, mode, withTokens('/bench/guarded', tokens)),
          fixed(`guarded, API key, ${mode}`, mode, withKeys('/bench/guarded', keys)),
        ];
  /** Every connection exchanges the refresh token of a session of its own, again and again through all rounds. */
  const refreshing = (name, server, path) => {
    let last = null;
    return {
      name,
      server,
      job: async () => {
        last ??= (await addSessions(db, people, CONNECTIONS)).map(({ refreshToken }) => refreshToken);
        return { kind: 'refresh', path, tokens: last };
      },
      done: (result) => (last = result.tokens),
    };
  };

  return [
    fixed('node:http', 'nodeHttp', [{ path: '/' }]),
    fixed('open route', 'memory', [{ path: '/bench/open' }]),
    ...guarded('memory'),
    fixed('floor, guarded', 'floor', withTokens('/guarded', tokens)),
    ...guarded('off'),
    ...guarded('redis'),
    fixed('me', 'memory', withTokens('/api/v1/auth/me', tokens)),
    fixed('Better Auth, get-session', 'betterAuth', withTokens('/api/auth/get-session', betterAuth.sessions)),
    fixed('Better Auth, API key', 'betterAuth', withKeys('/api-key-check', betterAuth.keys)),
    refreshing('refresh', 'memory', '/api/v1/auth/refresh'),
    refreshing('floor, refresh', 'floor', '/refresh'),
    {
      name: 'logout',
      server: 'memory',
      job: async () => {
        const sessions = await addSessions(db, people, LOGOUTS);
        const requests = sessions.map(({ accessToken }) => ({ method: 'POST', path: '/api/v1/auth/logout', headers: bearer(accessToken) }));
        return { kind: 'once', requests, expected: 204 };
      },
    },
    fixed('login', 'memory', logins, { connections: STORM, slow: true }),
  ];
}

/** The two loads of a login storm: people who sign in, and others who are signed in already and work on. */
export function stormOf({ seeded }) {
  return {
    logins: {
      kind: 'fixed',
      name: 'storm',
      connections: STORM,
      requests: seeded.people.map(({ email }) => ({ method: 'POST', path: '/api/v1/auth/login', body: JSON.stringify({ email, password: PASSWORD }) })),
    },
    guarded: { kind: 'fixed', name: 'guarded in the storm', connections: CONNECTIONS, requests: withTokens('/bench/guarded', seeded.tokens) },
  };
}
