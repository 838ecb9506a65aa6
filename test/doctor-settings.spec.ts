import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectSettings } from '../src/config/index.js';
import { DIALECTS } from '../src/dialects/index.js';
import { examineSettings } from '../src/doctor/examine.js';
import type { Finding } from '../src/doctor/finding.js';
import { makeDirectory, type TestDirectory } from './support/directory.js';

type Env = Readonly<Record<string, string>>;

const SECRET = 'kV9x2mQ7tLw4ZpR8sYb3NcJ6hGf1DaE5uXo0TiKvBnMqWrSz';
const OTHER_SECRET = [...SECRET].reverse().join('');
const REMOTE = 'postgres://gatehouse:Horse7Battery@db.example.com:5432/gatehouse';
/** Behind a proxy, on PostgreSQL and Redis: everything as the documentation says. */
const SOUND: Env = {
  NODE_ENV: 'production', HOST: '0.0.0.0', TRUST_PROXY: '1', CORS_ORIGIN: 'https://dashboard.example.com',
  DATABASE_URL: `${REMOTE}?sslmode=verify-full`, REDIS_URL: 'rediss://gatehouse:Stable8Manger@redis.example.com:6379', JWT_SECRET: SECRET, JWT_SECRET_PREVIOUS: OTHER_SECRET,
  BOOTSTRAP_API_KEY: 'Zq8Lw3Xn5Vt7Rb1Kd9Mf2Hs4Gj6Pc0Ya', WEBHOOK_URLS: 'https://hooks.example.com/in', WEBHOOK_SECRET: 'whsec_mJ8r2Vq0ZpWc5nXk7Hs1Ly4Bd9Gf3Ma6Ue0Ri2Ov5Tw=',
};

let directory: TestDirectory;
const before = process.cwd();
beforeAll(() => {
  directory = makeDirectory(0o700);
  process.chdir(directory.path);
});
afterAll(() => {
  process.chdir(before);
  directory.remove();
});

/** A file with these rights. */
function file(name: string, text: string, mode: number): string {
  const path = join(directory.path, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function examine(env: Env): Promise<Finding[]> {
  return examineSettings(inspectSettings({ env, dialects: DIALECTS }).settings);
}
const idsOf = (findings: readonly Finding[]): string[] => findings.map(({ severity, id }) => `${severity} ${id}`);

/** One thing that is wrong, on top of settings in which nothing is. */
const MISCONFIGURATIONS: readonly (readonly [finding: string, what: string, env: Env])[] = [
  ['error proxy-trusts-everybody', 'every peer', { TRUST_PROXY: 'true' }],
  ['error proxy-trusts-everybody', 'every address', { TRUST_PROXY: '10.0.0.1,0.0.0.0/0' }],
  ['error proxy-trusts-everybody', 'every address of IPv6', { TRUST_PROXY: '::/0' }],
  ['error jwt-secret-guessable', 'a sentence', { JWT_SECRET: 'super-secret-jwt-token-with-at-least-32-characters-long' }],
  ['error jwt-secret-guessable', 'one out of a documentation', { JWT_SECRET: '3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R' }],
  ['error jwt-secret-guessable', 'characters in order', { JWT_SECRET: 'ABCDEFGIJKLMNOPQRSTUVWXYZ0123456798zyxwvutsrqponmlk' }],
  ['error jwt-secret-guessable', 'repetitions that are not quite the same', { JWT_SECRET: `x1y2z3w4v5u6t7${'x1y2z3w4v5u6t7'.repeat(4)}!` }],
  ['error jwt-secret-guessable', 'few different characters', { JWT_SECRET: '1101001100101101110010231456711010011001011011100100' }],
  ['error jwt-secret-guessable', 'the one before', { JWT_SECRET_PREVIOUS: 'DO NOT USE THIS VALUE. INSTEAD, CREATE A COMPLEX SECRET' }],
  ['error api-key-guessable', 'a key of words', { BOOTSTRAP_API_KEY: 'my-gatehouse-key-for-the-build-server' }],
  ['error api-key-guessable', 'a short key', { DIALECTS: 'osmedeus', AUTH_API_KEY: 'osm123' }],
  ['error declared-password-known', 'a common one', { ADMIN_EMAIL: 'ada@example.com', ADMIN_PASSWORD: 'Dragon' }],
  ['error declared-password-known', 'the name of the account', { ADMIN_EMAIL: 'ada@example.com', ADMIN_PASSWORD: 'ADA@example.com' }],
  ['error declared-password-known', 'the example of the README', { BOOTSTRAP_OWNER_EMAIL: 'ada@example.com', BOOTSTRAP_OWNER_PASSWORD: 'three random words 42' }],
  ['error declared-password-known', 'the default of another variable', { DIALECTS: 'asyncat', LOCAL_PASSWORD: 'changeme' }],
  ['warning no-authentication', 'on this machine', { NODE_ENV: 'test', HOST: '127.0.0.1', AUTH_DISABLED: 'true' }],
  ['error no-authentication', 'for everybody', { NODE_ENV: 'test', HOST: '127.0.0.1', AUTH_DISABLED: 'true', AUTH_DISABLED_REMOTE: 'true' }],
  ['error default-password-allowed', '', { ALLOW_DEFAULT_PASSWORD: 'true' }],
  ['warning remote-first-run-allowed', '', { ALLOW_REMOTE_FIRST_RUN: 'true' }],
  ['warning rate-limit-off', 'off', { RATE_LIMIT_ENABLED: 'false' }],
  ['warning rate-limit-off', 'as good as off', { RATE_LIMIT_ATTEMPTS: '1001' }],
  ['warning lockout-loose', 'late', { LOCKOUT_ATTEMPTS: '21' }],
  ['warning lockout-loose', 'short', { LOCKOUT_DURATION: '59s' }],
  ['notice password-hash-cheap', '', { BCRYPT_COST: '11' }],
  ['warning cors-over-http', '', { CORS_ORIGIN: 'https://dashboard.example.com,http://dashboard.example.com' }],
  ['warning cors-many-origins', '', { CORS_ORIGIN: Array.from({ length: 21 }, (_, i) => `https://d${String(i)}.example.com`).join() }],
  ['warning cors-local-pages', '', { CORS_ORIGIN: 'http://localhost:5173' }],
  ['warning database-over-plain-text', 'nothing said', { DATABASE_URL: REMOTE }],
  ['warning database-over-plain-text', 'disabled', { DATABASE_URL: `${REMOTE}?sslmode=disable` }],
  ['notice database-over-plain-text', 'on a network of one’s own', { DATABASE_URL: 'postgres://gatehouse:x@postgres/gatehouse' }],
  ['notice database-over-plain-text', 'at a private address', { DATABASE_URL: 'postgres://gatehouse:x@10.1.2.3/gatehouse' }],
  ['warning database-certificate-unchecked', 'said so', { DATABASE_URL: `${REMOTE}?sslmode=no-verify` }],
  ['warning database-certificate-unchecked', 'as libpq has it', { DATABASE_URL: `${REMOTE}?uselibpqcompat=true&sslmode=require` }],
  ['warning redis-over-plain-text', '', { REDIS_URL: 'redis://gatehouse:Stable8Manger@redis.example.com' }],
  ['warning redis-without-password', '', { REDIS_URL: 'rediss://redis.example.com' }],
  ['warning metrics-public', '', { METRICS_PUBLIC: 'true' }],
  ['notice not-production', '', { NODE_ENV: 'development' }],
  ['warning webhooks-over-http', '', { NODE_ENV: 'test', HOST: '127.0.0.1', WEBHOOK_URLS: 'http://hooks.example.com/in?token=Trough5Halter' }],
  ['warning audit-kept-briefly', '', { AUDIT_RETENTION_DAYS: '29' }],
];

describe('the doctor, of settings', () => {
  it('finds nothing where nothing is wrong', async () => {
    expect(await examine({})).toEqual([]);
    expect(await examine(SOUND)).toEqual([]);
    expect(await examine({ ...SOUND, TRUST_PROXY: '10.0.0.0/8,fd00::/8', AUDIT_RETENTION_DAYS: '0' })).toEqual([]);
    expect(await examine({ DATABASE_URL: 'postgres://a:b@/gatehouse?host=/run/postgresql', JWT_SECRET: SECRET, REDIS_URL: 'redis://localhost' })).toEqual([]);
    for (let made = 0; made < 200; made += 1) {
      const JWT_SECRET = Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString(made % 2 === 0 ? 'base64' : 'hex').slice(0, 64);
      expect(await examine({ ...SOUND, JWT_SECRET })).toEqual([]);
    }
  });

  it.each(MISCONFIGURATIONS)('finds %s: %s', async (finding, _, env) => {
    expect(idsOf(await examine({ ...SOUND, ...env }))).toEqual([finding]);
  });

  it('finds secrets that other accounts of the machine can read', async () => {
    const { JWT_SECRET: _, ...rest } = SOUND;
    const closed = file('jwt', SECRET, 0o640);
    expect(await examine({ ...rest, JWT_SECRET_FILE: closed })).toEqual([]);
    const open = file('jwt', SECRET, 0o644);
    expect(idsOf(await examine({ ...rest, JWT_SECRET_FILE: open }))).toEqual(['error secret-file-readable']);
    expect((await examine({ ...rest, JWT_SECRET_FILE: open }))[0]?.remedy).toContain(`chmod o-rwx ${open}`);

    file('.env', 'PORT=4000\nJWT_SECRET=\n', 0o644);
    expect(await examine(SOUND)).toEqual([]);
    file('.env', `REDIS_URL=${SOUND['REDIS_URL'] ?? ''}\nJWT_SECRET=${SECRET}\n`, 0o644);
    const [inEnv, ...more] = await examine(SOUND);
    expect([inEnv?.id, more]).toEqual(['env-file-readable', []]);
    expect(inEnv?.title).toContain('REDIS_URL, JWT_SECRET');
    chmodSync('.env', 0o640);
    expect(await examine(SOUND)).toEqual([]);
  });

  it('finds a data directory that others can write, or whose secret they can read', async () => {
    mkdirSync('data', { mode: 0o700 });
    file('data/jwt-secret', SECRET, 0o600);
    expect(await examine({})).toEqual([]);
    chmodSync('data', 0o777);
    expect(idsOf(await examine({}))).toEqual(['error data-dir-open']);
    // It is not used there.
    expect(await examine(SOUND)).toEqual([]);
    chmodSync('data', 0o700);
    chmodSync('data/jwt-secret', 0o640);
    expect(idsOf(await examine({}))).toEqual(['error data-dir-open']);
  });

  it('goes on where settings are wrong, with what is left of them', async () => {
    const { settings, faults } = inspectSettings({ env: { ...SOUND, PORT: 'many', TRUST_PROXY: 'everybody', JWT_SECRET: 'short', METRICS_PUBLIC: 'true' }, dialects: DIALECTS });
    expect(faults.map(({ name }) => name)).toEqual(['PORT', 'TRUST_PROXY', 'JWT_SECRET']);
    expect(settings).toMatchObject({ port: 3000, trustProxy: false, jwtSecret: undefined, databaseUrl: SOUND['DATABASE_URL'] });
    expect(idsOf(await examineSettings(settings))).toEqual(['warning metrics-public']);
  });

  it('shows no secret, and says what to do', async () => {
    const secrets = ['Horse7Battery', 'Stable8Manger', SECRET, OTHER_SECRET, 'Trough5Halter', 'super-secret', 'my-gatehouse-key', 'osm123', 'Dragon', 'DO NOT USE'];
    for (const [, , env] of MISCONFIGURATIONS) {
      for (const { title, meaning, remedy } of await examine({ ...SOUND, ...env })) {
        expect(secrets.filter((secret) => `${title}${meaning}${remedy}`.includes(secret))).toEqual([]);
        for (const text of [title, meaning, remedy]) expect(text.length).toBeGreaterThan(10);
      }
    }
  });
});
