// People, sessions and tokens, as many as the load has connections, written into the database as the server writes them: to
// sign in a thousand times would take longer than all there is to measure.
import { createHmac, hkdfSync, randomUUID } from 'node:crypto';

export const SECRET = 'bN4kW8qT1xR6vY3mZ9cF2hJ7pL5sD0gKaE8uQwXyPiVo4tBz';
const DAY_SECONDS = 86_400;

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An access token as the server issues them. */
function accessToken(userId, sessionId) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: userId, sid: sessionId, jti: randomUUID(), iat: now, exp: now + DAY_SECONDS, iss: 'gatehouse', aud: 'gatehouse' };
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

const refreshKey = Buffer.from(hkdfSync('sha256', SECRET, 'gatehouse', 'refresh token', 32));

/** The first refresh token of a session. */
function refreshToken(sessionId) {
  const claims = `${Buffer.from(sessionId.replaceAll('-', ''), 'hex').toString('base64url')}.0`;
  return `${claims}.${createHmac('sha256', refreshKey).update(claims).digest('base64url')}`;
}

/** Accounts that all have one password. */
export async function addPeople(db, count, passwordHash) {
  const { rows } = await db.query(
    `INSERT INTO users (id, email, email_folded, password_hash)
     SELECT id, 'person-' || id || '@example.com', 'person-' || id || '@example.com', $2
       FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $1)) AS ids RETURNING id, email`,
    [count, passwordHash],
  );
  return rows;
}

/** Sessions, one after the other for the people given, with their first tokens. */
export async function addSessions(db, people, count) {
  const { rows } = await db.query(
    `INSERT INTO sessions (id, user_id, expires_at, refresh_ttl_seconds)
     SELECT gen_random_uuid(), ($1::uuid[])[1 + n % array_length($1::uuid[], 1)], now() + interval '1 day', $3
       FROM generate_series(0, $2 - 1) AS n RETURNING id, user_id`,
    [people.map(({ id }) => id), count, DAY_SECONDS],
  );
  return rows.map(({ id, user_id: userId }) => ({ accessToken: accessToken(userId, id), refreshToken: refreshToken(id) }));
}

/** API keys of one person, made through the API: only their hashes are in the database. */
export async function addApiKeys(url, token, count) {
  const keys = [];
  for (let made = 0; made < count; made += 1) {
    const response = await fetch(`${url}/api/v1/api-keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `bench ${made}`, scopes: ['bench:read'] }),
    });
    if (response.status !== 201) throw new Error(`making a key answered ${response.status}: ${await response.text()}`);
    keys.push((await response.json()).key);
  }
  return keys;
}
