// What people would pick instead: Better Auth with its bearer and API-key plugins, on the same PostgreSQL, with bcrypt at
// the same cost, its limits off and sessions read from the database, so that a revoked one is refused at once as ours is.
// Its own HTTP handler behind node:http, with nothing in between.
import { createServer } from 'node:http';
import { apiKey } from '@better-auth/api-key';
import bcrypt from 'bcrypt';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { bearer } from 'better-auth/plugins/bearer';
import pg from 'pg';

const { DATABASE_URL, JWT_SECRET, BCRYPT_COST, ACCOUNT, KEYS } = process.env;
const { email, password } = JSON.parse(ACCOUNT);

const options = {
  baseURL: 'http://127.0.0.1:3000',
  secret: JWT_SECRET,
  database: new pg.Pool({ connectionString: DATABASE_URL, max: 10 }),
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  logger: { level: 'error' },
  emailAndPassword: {
    enabled: true,
    password: {
      hash: (text) => bcrypt.hash(text, Number(BCRYPT_COST)),
      verify: (given) => bcrypt.compare(given.password, given.hash),
    },
  },
  plugins: [bearer(), apiKey({ rateLimit: { enabled: false } })],
};
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);

const { user } = await auth.api.signUpEmail({ body: { email, password, name: 'Owner' } });
const made = { sessions: [], keys: [] };
const context = await auth.$context;
for (let count = 0; count < Number(KEYS); count += 1) {
  made.sessions.push((await context.internalAdapter.createSession(user.id)).token);
  made.keys.push((await auth.api.createApiKey({ body: { userId: user.id, name: `bench ${count}` } })).key);
}

const handler = toNodeHandler(auth);
const server = createServer((request, response) => {
  if (request.url !== '/api-key-check') return void handler(request, response);
  auth.api.verifyApiKey({ body: { key: request.headers['x-api-key'] } }).then(({ valid }) => {
    const body = JSON.stringify({ ok: valid });
    response.writeHead(valid ? 200 : 401, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify(made)}\n`);
  process.stderr.write(`listening at http://127.0.0.1:${server.address().port}\n`);
});
