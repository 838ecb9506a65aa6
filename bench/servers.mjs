// The servers of the bench: ours once for each place that the check can be read from, and the references.
import bcrypt from 'bcrypt';
import pg from 'pg';
import { startServer } from './processes.mjs';
import { addApiKeys, addPeople, addSessions, SECRET } from './seed.mjs';

/** Connections of the load, each with a session and a key of its own. */
export const CONNECTIONS = 64;
/** As many people sign in at the same time, each with an account of their own. */
export const STORM = 32;
export const PASSWORD = 'plenty of words 42';
export const BCRYPT_COST = 12;

export const OWNER = { email: 'owner@example.com', password: PASSWORD };

/** Nothing is switched off for the bench; only the limit for one address has to let one address in. */
const UNHINDERED = { PORT: '0', JWT_SECRET: SECRET, RATE_LIMIT_ATTEMPTS: '1000000' };

/** The environment of our server on a database. */
export function ourEnvironment(databaseUrl, more = {}) {
  return { ...UNHINDERED, BOOTSTRAP_OWNER_EMAIL: OWNER.email, BOOTSTRAP_OWNER_PASSWORD: OWNER.password, DATABASE_URL: databaseUrl, ...more };
}

/** Starts all servers, and makes what their routes need. */
export async function startServers(databaseServer, redisUrl) {
  const admin = new pg.Client({ connectionString: `${databaseServer}gatehouse` });
  await admin.connect();
  for (const name of ['ours', 'better_auth']) await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();

  const url = `${databaseServer}ours`;
  const start = (more) => startServer('product.mjs', { env: ourEnvironment(url, more) });
  const servers = {};
  try {
    servers.memory = await start({ PRINCIPAL_CACHE: 'memory' });
    servers.off = await start({ PRINCIPAL_CACHE: 'off' });
    if (redisUrl !== null) servers.redis = await start({ PRINCIPAL_CACHE: 'redis', REDIS_URL: redisUrl });
    servers.nodeHttp = await startServer('references/node-http.mjs');
    servers.floor = await startServer('references/floor.mjs', { env: { DATABASE_URL: url, JWT_SECRET: SECRET } });
    servers.betterAuth = await startServer('references/better-auth.mjs', {
      env: {
        DATABASE_URL: `${databaseServer}better_auth`,
        JWT_SECRET: SECRET,
        BCRYPT_COST: String(BCRYPT_COST),
        ACCOUNT: JSON.stringify(OWNER),
        KEYS: String(CONNECTIONS),
      },
    });
    const seeded = await seed(url, servers);
    return { servers, seeded, stop: () => stopAll(servers, seeded.db) };
  } catch (error) {
    await stopAll(servers);
    throw error;
  }
}

/** Which PostgreSQL it is. */
export async function databaseVersionOf(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('SHOW server_version');
  await client.end();
  return rows[0].server_version;
}

async function seed(url, servers) {
  const db = new pg.Pool({ connectionString: url, max: 2 });
  const passwordHash = await bcrypt.hash(PASSWORD, BCRYPT_COST);
  const people = await addPeople(db, STORM, passwordHash);
  const sessions = await addSessions(db, people, CONNECTIONS);
  return {
    db,
    passwordHash,
    people,
    tokens: sessions.map(({ accessToken }) => accessToken),
    keys: await addApiKeys(servers.memory.url, sessions[0].accessToken, CONNECTIONS),
    betterAuth: JSON.parse(servers.betterAuth.output()),
  };
}

async function stopAll(servers, db) {
  await db?.end();
  await Promise.all(Object.values(servers).map((server) => server.stop()));
}
