// The floor: the same guarded route and the same exchange of refresh tokens on the same tables, written by hand for nothing
// but speed. Fastify, fast-jwt with its cache, one prepared statement a request. No lockout, no log, no headers against
// misuse, no reuse detection: what a server could leave out at most and still check that a session is alive.
import { createHmac, hkdfSync, randomUUID, timingSafeEqual } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';
import fastify from 'fastify';
import pg from 'pg';

const { DATABASE_URL, JWT_SECRET } = process.env;
const NAMES = { allowedIss: 'gatehouse', allowedAud: 'gatehouse' };
const ACCESS_TTL_MS = 900_000;

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const verify = createVerifier({ key: JWT_SECRET, algorithms: ['HS256'], cache: 20_000, ...NAMES });
const sign = createSigner({ key: JWT_SECRET, algorithm: 'HS256', iss: 'gatehouse', aud: 'gatehouse', expiresIn: ACCESS_TTL_MS });
const refreshKey = Buffer.from(hkdfSync('sha256', JWT_SECRET, 'gatehouse', 'refresh token', 32));
const mac = (claims) => createHmac('sha256', refreshKey).update(claims).digest('base64url');

const LIVE_SESSION = {
  name: 'live-session',
  text: `SELECT s.user_id, u.role FROM sessions s JOIN users u ON u.id = s.user_id
          WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL`,
};

const ROTATE = {
  name: 'rotate',
  text: `UPDATE sessions s SET refresh_counter = s.refresh_counter + 1, rotated_at = now(), last_used_at = now(),
                expires_at = least(now() + make_interval(secs => s.refresh_ttl_seconds), s.created_at + interval '90 days')
           FROM users u
          WHERE s.id = $1 AND s.refresh_counter = $2 AND s.revoked_at IS NULL AND s.expires_at > now()
            AND u.id = s.user_id AND u.disabled_at IS NULL
          RETURNING s.user_id, s.refresh_counter`,
};

const app = fastify();

async function guard(request, reply) {
  const { authorization = '' } = request.headers;
  try {
    const claims = verify(authorization.slice('Bearer '.length));
    const { rows } = await pool.query({ ...LIVE_SESSION, values: [claims.sid] });
    if (rows.length === 0 || rows[0].user_id !== claims.sub) return reply.code(401).send({ error: 'invalid_token' });
    request.principal = rows[0];
  } catch {
    return reply.code(401).send({ error: 'invalid_token' });
  }
}

app.decorateRequest('principal', null);
app.get('/guarded', { onRequest: guard }, (request, reply) => {
  reply.send({ ok: request.principal.user_id !== null });
});

app.post('/refresh', async (request, reply) => {
  const [id = '', counter = '', signature = ''] = request.body.refreshToken.split('.');
  const given = Buffer.from(signature);
  const expected = Buffer.from(mac(`${id}.${counter}`));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return reply.code(401).send({ error: 'invalid_grant' });
  const sid = Buffer.from(id, 'base64url').toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const { rows } = await pool.query({ ...ROTATE, values: [sid, Number(counter)] });
  if (rows.length === 0) return reply.code(401).send({ error: 'invalid_grant' });
  const claims = `${id}.${rows[0].refresh_counter}`;
  return {
    accessToken: sign({ sub: rows[0].user_id, sid, jti: randomUUID() }),
    refreshToken: `${claims}.${mac(claims)}`,
    tokenType: 'Bearer',
    expiresIn: ACCESS_TTL_MS / 1000,
  };
});

await app.listen({ port: 0, host: '127.0.0.1' });
process.stderr.write(`listening at http://127.0.0.1:${app.server.address().port}\n`);
