import { helpText, loadSettings, parseFlags, type Settings, SETTING_VARIABLES, SettingsError } from '../src/config/index.js';

function load(argv: string[], env: Record<string, string> = {}): Settings {
  return loadSettings({ env, argv });
}

describe('flags', () => {
  it.each<[argv: string[], expected: Partial<Settings>]>([
    [['--port', '4000'], { port: 4000 }],
    [['--port=4000'], { port: 4000 }],
    [['--port', '4000', '--port', '5000'], { port: 5000 }],
    [['--host', '::1', '--data-dir=/srv/data', '--no-auth'], { host: '::1', dataDir: '/srv/data', authDisabled: true }],
    [[], { port: 3000, authDisabled: false }],
  ])('%j', (argv, expected) => {
    expect(load(argv)).toMatchObject(expected);
  });

  it('win over the variables', () => {
    expect(load(['--port', '4000', '--no-auth'], { PORT: '5000', AUTH_DISABLED: 'false' })).toMatchObject({ port: 4000, authDisabled: true });
    expect(load(['--port', '4000'], { PORT: 'nonsense' }).port).toBe(4000);
  });

  it.each<[argv: string[], help: boolean, version: boolean]>([
    [['--help'], true, false], [['--version'], false, true], [['--port', '1', '--help'], true, false], [['--prot', '--help'], true, false], [[], false, false],
  ])('%j asks for help: %s, version: %s', (argv, help, version) => {
    expect(parseFlags(argv)).toMatchObject({ help, version });
  });

  it.each<[argv: string[], messages: string[]]>([
    [['--port'], ['--port needs a value: --port <value>']],
    [['--port='], ['--port needs a value: --port <value>']],
    [['--host', ''], ['--host needs a value: --host <value>']],
    [['--port', '--host'], ['--port needs a value: --port <value>', '--host needs a value: --host <value>']],
    [['--no-auth=yes'], ['--no-auth takes no value']],
    [['--help=me'], ['--help takes no value']],
    [['--prot', '4000'], ['--prot is not a known flag; did you mean --port?']],
    [['--hsot=::1'], ['--hsot is not a known flag; did you mean --host?']],
    [['--noauth'], ['--noauth is not a known flag; did you mean --no-auth?']],
    [['--data_dir=x'], ['--data_dir is not a known flag; did you mean --data-dir?']],
    [['--log-level=debug'], ['--log-level is not a known flag; set the variable LOG_LEVEL']],
    [['--whatever'], ['--whatever is not a known flag; see --help']],
    [['-abc'], ['-a is not a known flag; see --help']],
    [['4000'], ['argument 1 belongs to no flag; see --help']],
    [['--no-auth', 'true'], ['argument 2 belongs to no flag; see --help']],
    [['--', 'x'], ['argument 2 belongs to no flag; see --help']],
    [['--port', '-1'], ['--port (PORT): got "-1"; wants a whole number from 0 to 65535']],
  ])('%j is refused', (argv, messages) => {
    expect(faults(argv)).toEqual(messages);
  });

  it('have their faults listed among the others', () => {
    expect(faults(['--prot=4000', '--host', 'http://x', '--no-auth'], { NODE_ENV: 'production', BCRYPT_COST: '4' })).toEqual([
      '--prot is not a known flag; did you mean --port?',
      '--host (HOST): got "http://x"; wants an IP address or a host name, without scheme and port',
      'BCRYPT_COST: got "4"; wants a whole number from 10 to 15',
      '--no-auth (AUTH_DISABLED): got true; wants false, because NODE_ENV is production',
    ]);
  });

  it('that are unknown do not show their values, which may be secrets', () => {
    const argv = ['--jwt-secret', 'hush1', '--database-url=hush2', 'hush3', '--help=hush4', 'hush5'];
    expect(faults(argv).join('\n')).not.toContain('hush');
    expect(faults(argv)).toContain('--jwt-secret is not a known flag; set the variable JWT_SECRET');
  });
});

describe('the help', () => {
  const lines = helpText().split('\n');

  it.each(SETTING_VARIABLES.map((variable) => [variable.name, variable] as const))('explains %s once', (name, variable) => {
    const at = lines.flatMap((line, i) => new RegExp(`^ {2}${name}( |=|$)`).test(line) ? [i] : []);
    expect(at).toHaveLength(1);
    const [heading, description, wants] = lines.slice(at[0]);
    if (typeof variable.default === 'string') expect(heading).toBe(`  ${name}=${variable.default}`);
    expect(description?.trim()).toBe(variable.description);
    expect(wants).toContain(variable.wants);
    expect(wants?.includes(`${name}_FILE`)).toBe(variable.secret === true);
  });

  it.each(['--port <value>', '--host <value>', '--data-dir <value>', '--no-auth', '--help', '--version'])('lists %s', (usage) => {
    expect(lines.filter((line) => line.startsWith(`  ${usage} `))).toHaveLength(1);
  });
});

describe('the catalogue', () => {
  it('has no name twice and needs only what it has', () => {
    const names = SETTING_VARIABLES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { needs } of SETTING_VARIABLES) if (needs !== undefined) expect(names).toContain(needs);
  });

  it('has the names that the documentation uses', () => {
    expect(SETTING_VARIABLES.map(({ name }) => name).sort()).toEqual(`
      ACCESS_TOKEN_TTL ADMIN_EMAIL ADMIN_PASSWORD ALLOW_DEFAULT_PASSWORD ALLOW_REMOTE_FIRST_RUN API_KEY_PREFIX AUTH_API_KEY
      AUTH_DISABLED AUTH_DISABLED_REMOTE BCRYPT_COST DIALECTS ENABLED_AUTH_API JWT_EXPIRATION_MINUTES JWT_EXPIRES_IN LOCAL_EMAIL LOCAL_PASSWORD
      BOOTSTRAP_API_KEY BOOTSTRAP_API_KEY_SCOPES BOOTSTRAP_OWNER_EMAIL BOOTSTRAP_OWNER_NAME BOOTSTRAP_OWNER_PASSWORD
      BOOTSTRAP_OWNER_USERNAME CORS_ORIGIN DATABASE_POOL_SIZE DATABASE_URL DATA_DIR DOCS_ENABLED HOST JWT_AUDIENCE
      JWT_ISSUER JWT_SECRET JWT_SECRET_PREVIOUS LOCKOUT_ATTEMPTS LOCKOUT_DURATION LOG_FORMAT LOG_LEVEL NODE_ENV
      PASSWORD_MIN_LENGTH PORT PRINCIPAL_CACHE RATE_LIMIT_ATTEMPTS RATE_LIMIT_ENABLED RATE_LIMIT_WINDOW
      AUDIT_RETENTION_DAYS DATABASE_CONNECT_TIMEOUT_MS DATABASE_POOLER DATABASE_QUERY_TIMEOUT_MS DATABASE_WAIT_SECONDS METRICS_PUBLIC REDIS_URL
      SHUTDOWN_DELAY WEBHOOK_EVENTS WEBHOOK_SECRET WEBHOOK_URLS WEB_CONCURRENCY
      REFRESH_REUSE_GRACE REFRESH_TOKEN_TTL REFRESH_TOKEN_TTL_REMEMBERED REGISTRATION REQUEST_TIMEOUT SESSION_MAX_AGE TIMEZONE TRUST_PROXY
    `.trim().split(/\s+/).sort());
  });
});

function faults(argv: string[], env: Record<string, string> = {}): string[] {
  try {
    load(argv, env);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.faults.map(({ message }) => message);
    throw error;
  }
}
