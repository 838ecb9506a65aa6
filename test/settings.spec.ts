import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DialectRules, type Environment, loadSettings, mergeEnvFile, type Settings, SETTING_VARIABLES, SettingsError } from '../src/config/index.js';

const SECRET = 'kV9x2mQ7tLw4ZpR8sYb3NcJ6hGf1DaE5uXo0TiKvBnMqWrSz';
const OTHER_SECRET = [...SECRET].reverse().join('');
const DATABASE = 'postgres://gatehouse:correct-horse@db.internal:5432/gatehouse';
const API_KEY = 'ci_0123456789abcdefghijklmnopqrstuv';

/** Dialects that are none, with all that the rules here look at. */
const DIALECTS: DialectRules[] = [
  { name: 'days', paths: ['/days'], sessionLifetime: 'JWT_EXPIRES_IN' },
  { name: 'minutes', paths: ['/minutes'], sessionLifetime: 'JWT_EXPIRATION_MINUTES' },
  { name: 'neither', paths: ['/neither'] },
];

type Files = Readonly<Record<string, string>>;

function load(env: Environment, files: Files = {}): Settings {
  return loadSettings({
    env,
    dialects: DIALECTS,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
      return text;
    },
  });
}

function errorOf(env: Environment, files?: Files): SettingsError {
  try {
    load(env, files);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

/** The names that have a fault; none when the settings load. */
function faultyNames(env: Environment): string[] {
  try {
    load(env);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.faults.map(({ name }) => name);
    throw error;
  }
}

describe('defaults', () => {
  it('need nothing set', () => {
    expect({ ...load({}) }).toEqual({
      nodeEnv: 'development', host: '127.0.0.1', port: 3000, dataDir: './data', trustProxy: false, corsOrigin: [], timezone: 'UTC',
      webConcurrency: '1', shutdownDelay: 0, requestTimeout: 60, databasePoolSize: 10, databaseConnectTimeoutMs: 1_500, databaseQueryTimeoutMs: 1_500,
      databaseWaitSeconds: 30, databasePooler: 'auto', principalCache: 'memory', metricsPublic: false, auditRetentionDays: 365,
      webhookUrls: [], webhookEvents: ['*'],
      jwtIssuer: 'gatehouse', jwtAudience: 'gatehouse',
      accessTokenTtl: 900, refreshTokenTtl: 86_400, refreshTokenTtlRemembered: 2_592_000, refreshReuseGrace: 10, sessionMaxAge: 7_776_000,
      apiKeyPrefix: 'gh', bcryptCost: 12, passwordMinLength: 12, lockoutAttempts: 5, lockoutDuration: 900,
      rateLimitEnabled: true, rateLimitAttempts: 100, rateLimitWindow: 60,
      registration: 'closed', docsEnabled: true, logLevel: 'info', logFormat: 'auto',
      bootstrapOwnerName: 'Owner', bootstrapApiKeyScopes: ['*'], authDisabled: false, authDisabledRemote: false,
      dialects: [], jwtExpiresIn: '7d', jwtExpirationMinutes: 1440, enabledAuthApi: true, localEmail: 'admin@local',
      allowRemoteFirstRun: false, allowDefaultPassword: false,
    });
  });

  it('leave what has none undefined', () => {
    const { databaseUrl, jwtSecret, jwtSecretPrevious, adminEmail, adminPassword, bootstrapApiKey } = load({});
    expect([databaseUrl, jwtSecret, jwtSecretPrevious, adminEmail, adminPassword, bootstrapApiKey]).toEqual(Array(6).fill(undefined));
  });

  it('stand for empty and blank values', () => {
    const blank = Object.fromEntries(SETTING_VARIABLES.map(({ name, secret }) => [name, secret === true ? '' : ' ']));
    expect(load(blank)).toEqual(load({}));
  });

  it.each([
    [{}, 'memory'],
    [{ DATABASE_URL: DATABASE, JWT_SECRET: SECRET }, 'off'],
    [{ DATABASE_URL: DATABASE, JWT_SECRET: SECRET, PRINCIPAL_CACHE: 'memory' }, 'memory'],
    [{ DATABASE_URL: DATABASE, JWT_SECRET: SECRET, REDIS_URL: 'redis://cache' }, 'redis'],
    [{ REDIS_URL: 'redis://cache', PRINCIPAL_CACHE: 'off' }, 'off'],
    [{ PRINCIPAL_CACHE: 'off' }, 'off'],
  ])('%j make the principal cache %s', (env, expected) => {
    expect(load(env).principalCache).toBe(expected);
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(load({}))).toBe(true);
  });
});

type Value = [variable: string, text: string, property: keyof Settings, value: unknown];

describe('values that are taken', () => {
  it.each<Value>([
    ['PORT', '0', 'port', 0],
    ['PORT', '65535', 'port', 65_535],
    ['PORT', ' 4000 ', 'port', 4000],
    ['HOST', '0.0.0.0', 'host', '0.0.0.0'],
    ['HOST', '::1', 'host', '::1'],
    ['HOST', 'localhost', 'host', 'localhost'],
    ['HOST', 'auth-1.my_net.example', 'host', 'auth-1.my_net.example'],
    ['NODE_ENV', 'production', 'nodeEnv', 'production'],
    ['DATA_DIR', '/var/lib/gatehouse', 'dataDir', '/var/lib/gatehouse'],
    ['ACCESS_TOKEN_TTL', '1s', 'accessTokenTtl', 1],
    ['ACCESS_TOKEN_TTL', '90', 'accessTokenTtl', 90],
    ['ACCESS_TOKEN_TTL', '20m', 'accessTokenTtl', 1200],
    ['REFRESH_TOKEN_TTL', '7d', 'refreshTokenTtl', 604_800],
    ['REFRESH_TOKEN_TTL', '48h', 'refreshTokenTtl', 172_800],
    ['REFRESH_REUSE_GRACE', '0', 'refreshReuseGrace', 0],
    ['REFRESH_REUSE_GRACE', '0s', 'refreshReuseGrace', 0],
    ['DOCS_ENABLED', 'No', 'docsEnabled', false],
    ['DOCS_ENABLED', 'OFF', 'docsEnabled', false],
    ['DOCS_ENABLED', 'False', 'docsEnabled', false],
    ['DOCS_ENABLED', '0', 'docsEnabled', false],
    ['AUTH_DISABLED', 'yes', 'authDisabled', true],
    ['AUTH_DISABLED', 'On', 'authDisabled', true],
    ['AUTH_DISABLED', 'TRUE', 'authDisabled', true],
    ['AUTH_DISABLED', '1', 'authDisabled', true],
    ['TRUST_PROXY', 'true', 'trustProxy', true],
    ['TRUST_PROXY', 'off', 'trustProxy', false],
    ['TRUST_PROXY', '0', 'trustProxy', false],
    ['TRUST_PROXY', '1', 'trustProxy', 1],
    ['TRUST_PROXY', '3', 'trustProxy', 3],
    ['TRUST_PROXY', '10.0.0.0/8, 127.0.0.1,fd00::/8', 'trustProxy', ['10.0.0.0/8', '127.0.0.1', 'fd00::/8']],
    ['CORS_ORIGIN', 'https://app.example.com', 'corsOrigin', ['https://app.example.com']],
    ['CORS_ORIGIN', 'http://localhost:5173, capacitor://localhost,', 'corsOrigin', ['http://localhost:5173', 'capacitor://localhost']],
    ['TIMEZONE', 'Europe/Berlin', 'timezone', 'Europe/Berlin'],
    ['API_KEY_PREFIX', 'acme2', 'apiKeyPrefix', 'acme2'],
    ['JWT_SECRET', SECRET, 'jwtSecret', SECRET],
    ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
    ['REGISTRATION', 'open', 'registration', 'open'],
    ['BCRYPT_COST', '10', 'bcryptCost', 10],
  ])('%s=%s', (variable, text, property, value) => {
    expect(load({ [variable]: text })[property]).toEqual(value);
  });

  it.each([
    'postgres://gatehouse@localhost/gatehouse',
    'postgresql://u:p%40ss@10.0.0.1:6432/db?sslmode=require',
    'postgres:///gatehouse?host=/run/postgresql',
    'postgres://gatehouse@/gatehouse?host=/run/postgresql',
  ])('DATABASE_URL=%s', (url) => {
    expect(load({ DATABASE_URL: url, JWT_SECRET: SECRET }).databaseUrl).toBe(url);
  });

  it('secrets keep the space around them', () => {
    expect(load({ ADMIN_EMAIL: 'admin@local', ADMIN_PASSWORD: ' x ' })).toMatchObject({ adminEmail: 'admin@local', adminPassword: ' x ' });
  });

  it('the first accounts and the first key', () => {
    expect(load({
      BOOTSTRAP_OWNER_EMAIL: 'olga@example.com', BOOTSTRAP_OWNER_USERNAME: 'Ólga.o_1-x', BOOTSTRAP_OWNER_PASSWORD: 'twelve chars',
      BOOTSTRAP_OWNER_NAME: 'Olga', BOOTSTRAP_API_KEY: API_KEY, BOOTSTRAP_API_KEY_SCOPES: 'servers:read, api-keys:*',
    })).toMatchObject({
      bootstrapOwnerEmail: 'olga@example.com', bootstrapOwnerUsername: 'Ólga.o_1-x', bootstrapOwnerPassword: 'twelve chars',
      bootstrapOwnerName: 'Olga', bootstrapApiKey: API_KEY, bootstrapApiKeyScopes: ['servers:read', 'api-keys:*'],
    });
  });
});

describe('values that are refused', () => {
  it.each([
    ['PORT', '65536'], ['PORT', '-1'], ['PORT', '3000x'], ['PORT', '3e3'], ['PORT', '0x10'], ['PORT', '3000.0'], ['PORT', '+80'], ['PORT', '0080'],
    ['HOST', 'http://localhost'], ['HOST', 'localhost:3000'], ['HOST', '256.1.1.1'], ['HOST', '[::1]'], ['HOST', '*'],
    ['NODE_ENV', 'staging'],
    ['DATABASE_POOL_SIZE', '1'], ['DATABASE_POOL_SIZE', '1001'],
    ['WEB_CONCURRENCY', '0'], ['WEB_CONCURRENCY', '129'], ['WEB_CONCURRENCY', 'all'], ['WEB_CONCURRENCY', '02'], ['SHUTDOWN_DELAY', '61s'],
    ['DATABASE_CONNECT_TIMEOUT_MS', '49'], ['DATABASE_QUERY_TIMEOUT_MS', '2s'], ['DATABASE_WAIT_SECONDS', '-1'],
    ['REDIS_URL', 'http://cache'], ['REDIS_URL', 'redis://'], ['REDIS_URL', 'redis://cache/db'], ['REDIS_URL', 'redis://:p%zz@cache'],
    ['WEBHOOK_EVENTS', 'Login.failed'], ['WEBHOOK_EVENTS', ','],
    ['METRICS_PUBLIC', 'maybe'], ['AUDIT_RETENTION_DAYS', '36501'],
    ['ACCESS_TOKEN_TTL', '250ms'], ['ACCESS_TOKEN_TTL', '0'], ['ACCESS_TOKEN_TTL', '15 m'], ['ACCESS_TOKEN_TTL', '1.5h'],
    ['ACCESS_TOKEN_TTL', '15M'], ['ACCESS_TOKEN_TTL', '31d'], ['ACCESS_TOKEN_TTL', '-5m'], ['ACCESS_TOKEN_TTL', '1w'],
    ['REFRESH_REUSE_GRACE', '6m'], ['LOCKOUT_DURATION', '0s'], ['RATE_LIMIT_WINDOW', '2d'],
    ['PRINCIPAL_CACHE', 'redis'], ['REGISTRATION', 'Open'], ['LOG_LEVEL', 'verbose'], ['LOG_FORMAT', 'xml'],
    ['API_KEY_PREFIX', 'g'], ['API_KEY_PREFIX', 'Gh'], ['API_KEY_PREFIX', 'gh_x'], ['API_KEY_PREFIX', 'abcdefghijklmnopq'],
    ['BCRYPT_COST', '9'], ['BCRYPT_COST', '16'], ['PASSWORD_MIN_LENGTH', '7'], ['PASSWORD_MIN_LENGTH', '129'],
    ['LOCKOUT_ATTEMPTS', '0'], ['LOCKOUT_ATTEMPTS', '101'], ['RATE_LIMIT_ATTEMPTS', '0'],
    ['RATE_LIMIT_ENABLED', 'maybe'], ['DOCS_ENABLED', '2'], ['AUTH_DISABLED', 'y'],
    ['TRUST_PROXY', '-1'], ['TRUST_PROXY', '33'], ['TRUST_PROXY', '10.0.0.0/33'], ['TRUST_PROXY', 'fd00::/129'],
    ['TRUST_PROXY', '10.0.0.0/8/8'], ['TRUST_PROXY', '10.0.0.0/'], ['TRUST_PROXY', 'proxy.internal'], ['TRUST_PROXY', ','],
    ['CORS_ORIGIN', '*'], ['CORS_ORIGIN', 'https://a.example/'], ['CORS_ORIGIN', 'https://a.example/path'], ['CORS_ORIGIN', 'a.example'],
    ['CORS_ORIGIN', 'https://A.example'], ['CORS_ORIGIN', 'https://a.example:443'], ['CORS_ORIGIN', 'null'],
    ['CORS_ORIGIN', 'https://good.example,https://bad.example/x'],
    ['TIMEZONE', 'Mars/Olympus'], ['TIMEZONE', '+01:00'],
    ['JWT_SECRET', SECRET.slice(1)],
    ['JWT_SECRET', 'x'.repeat(64)],
    ['JWT_SECRET', 'ab'.repeat(32)],
    ['JWT_SECRET', 'aaaabaabbbabaaabbabababbbbaaabaababbaabbbabaabbaabab'],
    ['JWT_SECRET', '0123456789'.repeat(5)],
    ['JWT_SECRET', `${SECRET}-change-me-${SECRET}`],
    ['JWT_SECRET', `please CHANGE_ME before production ${SECRET}`],
    ['JWT_SECRET', `your-secret-key-goes-here-${SECRET}`],
    ['JWT_SECRET_PREVIOUS', SECRET.slice(1)],
    ['BOOTSTRAP_OWNER_NAME', 'n'.repeat(201)],
  ])('%s=%s', (variable, text) => {
    expect(faultyNames({ [variable]: text })).toEqual([variable]);
  });

  it.each([
    'mysql://root@localhost/db', 'localhost:5432/db', 'postgres://', 'postgres://u:p#1@host/db', 'postgres://u:p%zz@host/db', 'postgres://host:port/db',
  ])('DATABASE_URL=%s', (url) => {
    expect(faultyNames({ DATABASE_URL: url, JWT_SECRET: SECRET })).toEqual(['DATABASE_URL']);
  });

  it.each([
    ['BOOTSTRAP_OWNER_EMAIL', 'no-address'], ['BOOTSTRAP_OWNER_EMAIL', 'a@'],
    ['BOOTSTRAP_OWNER_USERNAME', 'a@b'], ['BOOTSTRAP_OWNER_USERNAME', 'two words'], ['BOOTSTRAP_OWNER_USERNAME', 'u'.repeat(65)],
    ['BOOTSTRAP_OWNER_USERNAME', '.boss'], ['BOOTSTRAP_OWNER_USERNAME', 'boss-'], ['BOOTSTRAP_OWNER_USERNAME', '½'], ['BOOTSTRAP_OWNER_EMAIL', 'a＠b@example.com'],
  ])('%s=%s', (variable, text) => {
    expect(faultyNames({ [variable]: text, BOOTSTRAP_OWNER_PASSWORD: 'twelve chars' })).toEqual([variable]);
  });

  it.each(['null', 'undefined', API_KEY.slice(0, 31), `${API_KEY} x`, `${API_KEY}\tx`, `${API_KEY}é`])('BOOTSTRAP_API_KEY=%j', (key) => {
    expect(faultyNames({ BOOTSTRAP_API_KEY: key })).toEqual(['BOOTSTRAP_API_KEY']);
  });

  it.each(['read', 'Servers:read', 'servers:', ':read', '*:read', 'servers:read:all', 'servers:read write', ',', '*,nope', '-:-', 'servers-:read', 'servers:--read'])('BOOTSTRAP_API_KEY_SCOPES=%s', (scopes) => {
    expect(faultyNames({ BOOTSTRAP_API_KEY: API_KEY, BOOTSTRAP_API_KEY_SCOPES: scopes })).toEqual(['BOOTSTRAP_API_KEY_SCOPES']);
  });
});

describe('rules between settings', () => {
  const owner = { BOOTSTRAP_OWNER_EMAIL: 'o@example.com' };

  it.each<[reason: string, env: Environment, faulty: string[]]>([
    ['a database of one\'s own needs a secret', { DATABASE_URL: DATABASE }, ['JWT_SECRET']],
    ['also when its URL is wrong', { DATABASE_URL: 'mysql://x' }, ['DATABASE_URL', 'JWT_SECRET']],
    ['a wrong secret is one fault', { DATABASE_URL: DATABASE, JWT_SECRET: 'short' }, ['JWT_SECRET']],
    ['the previous secret is another one', { JWT_SECRET: SECRET, JWT_SECRET_PREVIOUS: SECRET }, ['JWT_SECRET_PREVIOUS']],
    ['two secrets', { JWT_SECRET: SECRET, JWT_SECRET_PREVIOUS: OTHER_SECRET }, []],
    ['no authentication in production', { NODE_ENV: 'production', AUTH_DISABLED: 'true' }, ['AUTH_DISABLED']],
    ['authentication in production', { NODE_ENV: 'production', AUTH_DISABLED: 'false' }, []],
    ['remote without AUTH_DISABLED', { AUTH_DISABLED_REMOTE: 'true' }, ['AUTH_DISABLED_REMOTE']],
    ['remote, switched off', { AUTH_DISABLED_REMOTE: 'false' }, []],
    ['remote with AUTH_DISABLED', { AUTH_DISABLED: 'true', AUTH_DISABLED_REMOTE: 'true' }, []],
    ['owner without password, which is there already', owner, []],
    ['owner, both names, without password', { ...owner, BOOTSTRAP_OWNER_USERNAME: 'o' }, []],
    ['owner without a name to sign in with', { BOOTSTRAP_OWNER_PASSWORD: 'twelve chars' }, ['BOOTSTRAP_OWNER_EMAIL']],
    ['owner by user name', { BOOTSTRAP_OWNER_USERNAME: 'o', BOOTSTRAP_OWNER_PASSWORD: 'twelve chars' }, []],
    ['owner password of 11', { ...owner, BOOTSTRAP_OWNER_PASSWORD: 'eleven char' }, ['BOOTSTRAP_OWNER_PASSWORD']],
    ['11 characters in 22 UTF-16 units', { ...owner, BOOTSTRAP_OWNER_PASSWORD: '😀'.repeat(11) }, ['BOOTSTRAP_OWNER_PASSWORD']],
    ['12 letters, each with a combining accent', { ...owner, BOOTSTRAP_OWNER_PASSWORD: 'e\u0301'.repeat(12) }, []],
    ['6 letters, each with a combining accent', { ...owner, BOOTSTRAP_OWNER_PASSWORD: 'e\u0301'.repeat(6) }, ['BOOTSTRAP_OWNER_PASSWORD']],
    ['owner password below the configured minimum', { ...owner, BOOTSTRAP_OWNER_PASSWORD: 'twelve chars', PASSWORD_MIN_LENGTH: '13' }, ['BOOTSTRAP_OWNER_PASSWORD']],
    ['the floor of 12 stays', { ...owner, BOOTSTRAP_OWNER_PASSWORD: 'eleven char', PASSWORD_MIN_LENGTH: '8' }, ['BOOTSTRAP_OWNER_PASSWORD']],
    ['a wrong minimum is one fault', { ...owner, BOOTSTRAP_OWNER_PASSWORD: 'twelve chars', PASSWORD_MIN_LENGTH: '1000' }, ['PASSWORD_MIN_LENGTH']],
    ['admin without password', { ADMIN_EMAIL: 'a@example.com' }, ['ADMIN_PASSWORD']],
    ['admin without address', { ADMIN_PASSWORD: 'x' }, ['ADMIN_EMAIL']],
    ['admin with a weak password', { ADMIN_EMAIL: 'admin@local', ADMIN_PASSWORD: 'x' }, []],
    ['scopes without key', { BOOTSTRAP_API_KEY_SCOPES: '*' }, ['BOOTSTRAP_API_KEY']],
    ['refresh shorter than access', { REFRESH_TOKEN_TTL: '14m' }, ['REFRESH_TOKEN_TTL']],
    ['refresh as long as access', { REFRESH_TOKEN_TTL: '15m' }, []],
    ['remembered shorter than access', { REFRESH_TOKEN_TTL_REMEMBERED: '14m' }, ['REFRESH_TOKEN_TTL_REMEMBERED']],
    ['session shorter than refresh', { SESSION_MAX_AGE: '23h' }, ['SESSION_MAX_AGE']],
    ['session as long as refresh', { SESSION_MAX_AGE: '24h' }, []],
    ['a session shorter than the lifetime that a dialect is given', { SESSION_MAX_AGE: '48h', JWT_EXPIRES_IN: '3d' }, ['JWT_EXPIRES_IN']],
    ['a session shorter than the minutes that a dialect is given', { SESSION_MAX_AGE: '24h', JWT_EXPIRATION_MINUTES: '1441' }, ['JWT_EXPIRATION_MINUTES']],
    ['a session shorter than a default that nobody goes by', { SESSION_MAX_AGE: '48h' }, []],
    ['a session shorter than the default of another dialect', { SESSION_MAX_AGE: '24h', DIALECTS: 'neither,minutes' }, []],
    ['a session shorter than a mounted dialect\'s default', { SESSION_MAX_AGE: '48h', DIALECTS: 'days' }, ['JWT_EXPIRES_IN']],
    ['a session shorter than a mounted dialect\'s default minutes', { SESSION_MAX_AGE: '12h', REFRESH_TOKEN_TTL: '1h', DIALECTS: 'minutes' }, ['JWT_EXPIRATION_MINUTES']],
    ['a session as long as a mounted dialect\'s default', { SESSION_MAX_AGE: '7d', DIALECTS: 'days,minutes' }, []],
    ['a mounted dialect with a lifetime of its own', { SESSION_MAX_AGE: '48h', DIALECTS: 'days', JWT_EXPIRES_IN: '48h' }, []],
    ['nothing is compared with a value that is wrong', { ACCESS_TOKEN_TTL: 'long', REFRESH_TOKEN_TTL: '1s' }, ['ACCESS_TOKEN_TTL']],
  ])('%s', (_reason, env, faulty) => {
    expect(faultyNames(env)).toEqual(faulty);
  });
});

describe('the message', () => {
  it('lists all faults together, each with what it got and wants', () => {
    const { message } = errorOf({
      PORT: '70000', BCRYPT_COST: 'high', DATABASE_URL: DATABASE, AUTH_DISABLED: 'true', NODE_ENV: 'production', JWT_SECRT: SECRET,
    });
    expect(message.split('\n')).toEqual([
      '5 settings are wrong:',
      '  - PORT: got "70000"; wants a whole number from 0 to 65535',
      '  - BCRYPT_COST: got "high"; wants a whole number from 10 to 15',
      '  - JWT_SECRET: got nothing; wants at least 48 characters that nobody can guess, no placeholder (make one: openssl rand -base64 48), because DATABASE_URL is set',
      '  - AUTH_DISABLED: got true; wants false, because NODE_ENV is production',
      '  - JWT_SECRT is not known; did you mean JWT_SECRET?',
    ]);
  });

  it('begins every fault with its variable', () => {
    const bad = Object.fromEntries(SETTING_VARIABLES.map(({ name }) => [name, '\u0000 bad @']));
    for (const { name, message } of errorOf(bad).faults) expect(message.startsWith(name)).toBe(true);
  });

  it('never shows a secret, but its length where that is the fault', () => {
    const hidden: Record<string, string> = {
      JWT_SECRET: 'hush-jwt', JWT_SECRET_PREVIOUS: 'hush-previous', DATABASE_URL: 'hush://user:hush@db', BOOTSTRAP_OWNER_PASSWORD: 'hush-owner',
      ADMIN_PASSWORD: 'hush-admin', BOOTSTRAP_API_KEY: 'hush-key', AUTH_API_KEY: 'hush hush', LOCAL_PASSWORD: 'hush-local', REDIS_URL: 'hush://:hush@cache', WEBHOOK_SECRET: 'hush-webhook',
    };
    expect(Object.keys(hidden).sort()).toEqual(SETTING_VARIABLES.filter(({ secret }) => secret).map(({ name }) => name).sort());
    const error = errorOf({ ...hidden, JWT_SECRTE: 'hush-typo' });
    expect(error.faults.map(({ name }) => name)).toEqual([
      'DATABASE_URL', 'REDIS_URL', 'JWT_SECRET', 'JWT_SECRET_PREVIOUS', 'WEBHOOK_SECRET', 'BOOTSTRAP_API_KEY', 'AUTH_API_KEY', 'ADMIN_EMAIL', 'BOOTSTRAP_OWNER_PASSWORD', 'BOOTSTRAP_OWNER_EMAIL', 'JWT_SECRTE',
    ]);
    expect(error.message).toContain('JWT_SECRET: got (hidden), 8 characters; wants at least 48');
    expect(error.message).toContain('BOOTSTRAP_OWNER_PASSWORD: got (hidden), 10 characters; wants at least 12');
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('hush');
  });

  it('says why a secret that is long enough is refused', () => {
    expect(errorOf({ JWT_SECRET: 'x'.repeat(64) }).message).toContain('JWT_SECRET: got (hidden), which looks like a placeholder or repeats itself; wants');
  });

  it('quotes control characters and cuts what is very long', () => {
    expect(errorOf({ TIMEZONE: 'a\u001b[31mb' }).message).toContain('"a\\u001b[31mb"');
    expect(errorOf({ TIMEZONE: 'z'.repeat(5000) }).message.length).toBeLessThan(500);
  });
});

describe('web hooks', () => {
  const secret = { WEBHOOK_SECRET: `whsec_${Buffer.from(SECRET.slice(0, 36)).toString('base64')}` };

  it.each([['hooks.example.com'], ['https://user:word@hooks.example.com'], ['ftp://hooks.example.com'], ['https://hooks.example.com/#part']])(
    'are refused at %s', (url) => {
      expect(faultyNames({ WEBHOOK_URLS: url, ...secret })).toEqual(['WEBHOOK_URLS']);
    });

  it.each([
    ['without a secret', { WEBHOOK_URLS: 'https://hooks.example.com' }, ['WEBHOOK_SECRET']],
    ['with a secret of another form', { WEBHOOK_SECRET: SECRET }, ['WEBHOOK_SECRET']],
    ['over plain HTTP in production', { ...secret, WEBHOOK_URLS: 'http://hooks.example.com', NODE_ENV: 'production' }, ['WEBHOOK_URLS']],
  ])('are refused %s', (_, env, names) => {
    expect(faultyNames(env)).toEqual(names);
  });

  it('are sent what there is', () => {
    const load = (events: string) => loadSettings({ env: { WEBHOOK_EVENTS: events }, securityEvents: ['login.failed'] });
    expect(load('login.failed').webhookEvents).toEqual(['login.failed']);
    expect(() => load('login.faild')).toThrow('WEBHOOK_EVENTS: got "login.faild"; wants *, or names with commas between, of login.failed');
  });
});

describe('several processes', () => {
  const database = { DATABASE_URL: DATABASE, JWT_SECRET: SECRET };

  it.each([
    ['on the embedded database, each with a memory of its own', { WEB_CONCURRENCY: '2' }],
    ['on any database', { ...database, WEB_CONCURRENCY: 'auto', PRINCIPAL_CACHE: 'memory' }],
  ])('are refused %s', (_, env) => {
    expect(faultyNames(env)).toEqual(['WEB_CONCURRENCY']);
  });

  it.each([
    [{ WEB_CONCURRENCY: '2', PRINCIPAL_CACHE: 'off' }], [{ ...database, WEB_CONCURRENCY: 'auto' }],
    [{ ...database, WEB_CONCURRENCY: '128', REDIS_URL: 'rediss://:p%40ss@cache:6380/2' }],
  ])('are fine with %j', (env) => {
    expect(faultyNames(env)).toEqual([]);
  });

  it('refuse a cache that nothing says the place of', () => {
    expect(faultyNames({ PRINCIPAL_CACHE: 'redis' })).toEqual(['PRINCIPAL_CACHE']);
  });
});

describe('secrets from files', () => {
  const file = (text: string) => ({ '/run/secrets/jwt': text });
  const env = { JWT_SECRET_FILE: '/run/secrets/jwt' };

  it.each([
    [`${SECRET}\n`, SECRET], [`${SECRET}\r\n`, SECRET], [SECRET, SECRET], [`${SECRET}\n\n`, `${SECRET}\n`], [` ${SECRET}`, ` ${SECRET}`],
  ])('are read but for one trailing newline: %j', (text, expected) => {
    expect(load(env, file(text)).jwtSecret).toBe(expected);
  });

  it('work for every secret variable', () => {
    const values: Record<string, string> = {
      JWT_SECRET: SECRET, JWT_SECRET_PREVIOUS: OTHER_SECRET, DATABASE_URL: DATABASE, BOOTSTRAP_OWNER_PASSWORD: 'twelve chars',
      ADMIN_PASSWORD: 'x', BOOTSTRAP_API_KEY: API_KEY,
    };
    const plain = { BOOTSTRAP_OWNER_EMAIL: 'o@example.com', ADMIN_EMAIL: 'a@example.com' };
    const fromFiles = load(
      { ...plain, ...Object.fromEntries(Object.keys(values).map((name) => [`${name}_FILE`, `/s/${name}`])) },
      Object.fromEntries(Object.entries(values).map(([name, value]) => [`/s/${name}`, `${value}\n`])),
    );
    // Which files they were is kept for whoever looks after their rights.
    const secretFiles = Object.keys(values).map((name) => ({ variable: `${name}_FILE`, path: `/s/${name}` }));
    expect(fromFiles).toEqual({ ...load({ ...plain, ...values }), secretFiles: expect.arrayContaining(secretFiles) as object });
    expect(fromFiles.secretFiles).toHaveLength(secretFiles.length);
  });

  it.each(['', '\n', ' \n\n'])('must not be empty: %j', (text) => {
    expect(errorOf(env, file(text)).message).toContain('JWT_SECRET_FILE: got "/run/secrets/jwt", an empty file; wants');
  });

  it('must exist', () => {
    expect(errorOf(env).message).toContain('JWT_SECRET_FILE: got "/run/secrets/jwt", which does not exist; wants');
  });

  it('must not come twice', () => {
    const { faults, message } = errorOf({ ...env, JWT_SECRET: OTHER_SECRET }, file(SECRET));
    expect(faults).toHaveLength(1);
    expect(message).toContain('JWT_SECRET: got both JWT_SECRET and JWT_SECRET_FILE; wants one of the two');
    expect(load({ ...env, JWT_SECRET: '' }, file(SECRET)).jwtSecret).toBe(SECRET);
    expect(load({ JWT_SECRET_FILE: '', JWT_SECRET: SECRET }).jwtSecret).toBe(SECRET);
  });

  it('say where a wrong value came from, and never what it is', () => {
    const { message } = errorOf(env, file('hush-hush\n'));
    expect(message).toContain('JWT_SECRET (from JWT_SECRET_FILE): got (hidden), 9 characters; wants');
    expect(message).not.toContain('hush');
  });

  it('count as given where another variable needs them, however broken', () => {
    expect(errorOf({ ...env, DATABASE_URL: DATABASE }).faults.map(({ name }) => name)).toEqual(['JWT_SECRET_FILE']);
  });

  it.each([SECRET, DATABASE])('do not show the secret that stands where the path belongs', (value) => {
    const { message } = errorOf({ JWT_SECRET_FILE: value });
    expect(message).toContain('JWT_SECRET_FILE: got (hidden');
    expect(message).not.toContain(value);
  });

  it('are for secrets alone', () => {
    expect(load({ PORT_FILE: '/nowhere' }).port).toBe(3000);
  });

  describe('on disk', () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-settings-'));
    afterAll(() => { rmSync(directory, { recursive: true }); });
    const written = (name: string, content: string | Buffer): string => {
      writeFileSync(join(directory, name), content);
      return join(directory, name);
    };

    it('are read without a byte order mark', () => {
      const path = written('bom', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(`${SECRET}\n`)]));
      expect(loadSettings({ env: { JWT_SECRET_FILE: path } }).jwtSecret).toBe(SECRET);
    });

    it.each<[string, () => string]>([
      ['which does not exist', () => join(directory, 'none')],
      ['a directory', () => directory],
      ['which is not UTF-8 text', () => written('binary', Buffer.alloc(64, 0xff))],
    ])('are refused with a reason: %s', (reason, path) => {
      expect(() => loadSettings({ env: { JWT_SECRET_FILE: path() } })).toThrow(`${reason}; wants a readable text file`);
    });
  });
});

describe('mergeEnvFile', () => {
  it('fills in what the environment does not have', () => {
    const env = mergeEnvFile('# local\nPORT=4000\nHOST="0.0.0.0"\nLOG_LEVEL=debug\n', { PORT: '5000', LOG_LEVEL: '', PATH: '/bin', DATA_DIR: undefined });
    expect(env).toMatchObject({ PORT: '5000', HOST: '0.0.0.0', LOG_LEVEL: 'debug', PATH: '/bin' });
    expect(load(env)).toMatchObject({ port: 5000, host: '0.0.0.0', logLevel: 'debug', dataDir: './data' });
  });

  it('takes an empty file', () => {
    expect(mergeEnvFile('', { PORT: '5000' })).toEqual({ PORT: '5000' });
  });
});

describe('.env.example', () => {
  const lines = readFileSync(join(__dirname, '..', '.env.example'), 'utf8').split('\n');
  /** A variable's line is commented out without a space, an explanation with one. */
  const listed = lines.flatMap((line, i) => {
    const [, name, text] = /^#?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, text, above: lines[i - 1] }];
  });

  it('has every variable once, in the order of the settings, and nothing else', () => {
    expect(listed.map(({ name }) => name)).toEqual(
      [...new Set(SETTING_VARIABLES.map(({ group }) => group))]
        .flatMap((group) => SETTING_VARIABLES.filter((variable) => variable.group === group).map(({ name }) => name)),
    );
    const others = lines.filter((line) => line !== '' && !line.startsWith('# ') && !/^#[A-Z][A-Z0-9_]*=/.test(line));
    expect(others).toEqual([]);
  });

  it.each(SETTING_VARIABLES.map((variable) => [variable.name, variable] as const))('explains %s and shows its default', (name, variable) => {
    const line = listed.find((candidate) => candidate.name === name);
    const computed = typeof variable.default === 'object' ? ` Default: ${variable.default.says}.` : '';
    expect(line).toEqual({
      name,
      text: typeof variable.default === 'string' ? variable.default : '',
      above: `# ${variable.description}${computed}${variable.secret === true ? ` Or a file: ${name}_FILE.` : ''}`,
    });
  });

  it('changes nothing when it is copied as it is', () => {
    expect(mergeEnvFile(lines.join('\n'), {})).toEqual({});
  });

  it('changes nothing when every line is uncommented', () => {
    const needy = new Set(SETTING_VARIABLES.filter(({ needs }) => needs !== undefined).map(({ name }) => name));
    const text = listed.filter(({ name }) => !needy.has(name)).map(({ name, text }) => `${name}=${text}`).join('\n');
    expect(load(mergeEnvFile(text, {}))).toEqual(load({}));
    const key = { BOOTSTRAP_API_KEY: API_KEY };
    const all = listed.map(({ name, text }) => `${name}=${text}`).join('\n');
    expect(load(mergeEnvFile(all, key))).toEqual(load(key));
  });
});
