import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from './support/database.js';
import { send } from './support/client.js';
import { embeddedIn, makeDirectory, type TestDirectory } from './support/directory.js';
import { runGatehouse, startGatehouse, TEST_JWT_SECRET } from './support/gatehouse.js';

const STACK = /\n\s+at |"stack"/;
const NOBODY = 65_534;

let directory: TestDirectory;
let database: TestDatabase;

beforeAll(async () => {
  directory = makeDirectory(0o755);
  database = await createDatabase();
});

afterAll(async () => {
  await database.drop();
  directory.remove();
});

describe('what cannot be started', () => {
  let taken: Server;

  beforeAll(async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
  });
  afterAll(() => { taken.close(); });

  const withoutDatabase = (): string => new URL('/no_such_database', database.url).href;
  const withPassword = (password: string): string => {
    const url = new URL(database.url);
    url.password = password;
    return url.href;
  };

  interface Case { env?: () => Record<string, string | undefined>; argv?: string[]; says: (string | RegExp)[] }
  const cases: Record<string, Case> = {
    'several bad settings': {
      env: () => ({ PORT: 'many', BCRYPT_COST: '4', JWT_SECRET: 'shorty-secret', LOG_LEVEL: 'loud' }),
      says: ['4 settings are wrong', /PORT: got "many"/, /BCRYPT_COST: got "4"/, /JWT_SECRET: got \(hidden\), 13 characters/, /LOG_LEVEL: got "loud"/],
    },
    'a misspelt variable': { env: () => ({ JWT_SECRT: 'whatever' }), says: ['JWT_SECRT is not known; did you mean JWT_SECRET?'] },
    'a secret twice': {
      env: () => ({ JWT_SECRET_FILE: join(directory.path, 'none') }), says: ['both JWT_SECRET and JWT_SECRET_FILE'],
    },
    'a secret file that is missing': {
      env: () => ({ JWT_SECRET: undefined, JWT_SECRET_FILE: join(directory.path, 'none') }), says: ['JWT_SECRET_FILE', 'does not exist'],
    },
    'a database without a secret': { env: () => ({ JWT_SECRET: undefined }), says: [/JWT_SECRET: got nothing.*because DATABASE_URL is set/] },
    'one half of the declared account': { env: () => ({ ADMIN_EMAIL: 'a@example.com' }), says: [/ADMIN_PASSWORD: got nothing/] },
    'no authentication in production': { env: () => ({ NODE_ENV: 'production' }), argv: ['--no-auth'], says: [/--no-auth \(AUTH_DISABLED\)/, 'NODE_ENV is production'] },
    'an unknown flag, without its value': { argv: ['--passwort', 'shorty-secret'], says: ['--passwort is not a known flag'] },
    'a port in use': {
      env: () => ({ PORT: String((taken.address() as AddressInfo).port) }), says: [/PORT \d+ of HOST 127\.0\.0\.1 is in use/],
    },
    'an address of another machine': { env: () => ({ HOST: '192.0.2.1' }), says: ['HOST 192.0.2.1 is no address of this machine'] },
    'a database that does not answer': {
      env: () => ({ DATABASE_URL: 'postgres://user:shorty-secret@localhost:1/x', DATABASE_WAIT_SECONDS: '0' }),
      says: ['localhost:1/x', 'DATABASE_URL', /ECONNREFUSED/],
    },
    'a database at a name that is none': {
      env: () => ({ DATABASE_URL: 'postgres://user:shorty-secret@nowhere.invalid/x', DATABASE_WAIT_SECONDS: '0' }), says: ['nowhere.invalid/x', 'DATABASE_URL'],
    },
    'a database that does not exist': {
      env: () => ({ DATABASE_URL: withoutDatabase() }), says: ['DATABASE_URL', 'database "no_such_database" does not exist'],
    },
    'a wrong database password': {
      env: () => ({ DATABASE_URL: withPassword('shorty-secret') }), says: ['DATABASE_URL', 'password authentication failed'],
    },
    'a data directory below a file': {
      env: () => {
        writeFileSync(join(directory.path, 'file'), '');
        return embeddedIn(join(directory.path, 'file', 'data'));
      },
      says: ['DATA_DIR', 'a file is in the way'],
    },
    'a generated secret that was cut short': {
      env: () => {
        const dataDir = join(directory.path, 'cut');
        mkdirSync(dataDir, { mode: 0o711 });
        writeFileSync(join(dataDir, 'jwt-secret'), 'shorty-secret', { mode: 0o600 });
        return embeddedIn(dataDir);
      },
      says: ['cut/jwt-secret is too short', 'signs everybody out'],
    },
  };

  it.each(Object.entries(cases))('%s', async (_, { env, argv, says }) => {
    const { code, output } = await runGatehouse({ env: { DATABASE_URL: database.url, ...env?.() }, ...(argv ? { argv } : {}) });
    expect(code).toBe(1);
    expect(output).toContain('Gatehouse cannot start.');
    for (const sentence of says) expect(output).toMatch(sentence);
    expect(output).not.toMatch(STACK);
    for (const secret of ['shorty-secret', TEST_JWT_SECRET, new URL(database.url).password]) expect(output).not.toContain(secret);
  });

  (process.getuid?.() === 0 ? it : it.skip)('a data directory that may not be written', async () => {
    const { code, output } = await runGatehouse({ env: embeddedIn(join(directory.path, 'closed')), uid: NOBODY, cwd: directory.path });
    expect(code).toBe(1);
    expect(output).toContain('give this account the right to write there, or set another DATA_DIR');
    expect(output).not.toMatch(STACK);
  });
});

describe('flags and files', () => {
  it('--help lists the flags and the variables', async () => {
    const { code, output } = await runGatehouse({ argv: ['--help'], env: { PORT: 'many' } });
    expect(code).toBe(0);
    for (const name of ['--port <value>', '--host <value>', '--data-dir <value>', '--no-auth', 'DATABASE_URL', 'JWT_SECRET_FILE']) expect(output).toContain(name);
  });

  it('--version', async () => {
    expect(await runGatehouse({ argv: ['--version'] })).toEqual({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
  });

  it('--port, --host and --data-dir win over the variables', async () => {
    const dataDir = join(directory.path, 'by-flag');
    const gatehouse = await startGatehouse({
      env: { ...embeddedIn(join(directory.path, 'by-variable')), PORT: '1', HOST: '192.0.2.1' },
      argv: ['--port', '0', '--host=localhost', '--data-dir', dataDir],
    });
    expect(gatehouse.output()).toContain(`Data     ${dataDir}`);
    expect((await send(`GET ${gatehouse.url}/health`)).status).toBe(200);
    expect(await gatehouse.stop()).toBe(0);
  });

  it('.env in the working directory is read, and the environment wins', async () => {
    const cwd = join(directory.path, 'with-env');
    mkdirSync(cwd);
    chmodSync(cwd, 0o755);
    writeFileSync(join(cwd, '.env'), 'TIMEZONE=Europe/Berlin\nPASSWORD_MIN_LENGTH=20\n');
    const gatehouse = await startGatehouse({ env: { DATABASE_URL: database.url, PASSWORD_MIN_LENGTH: '16' }, cwd });
    expect((await send(`GET ${gatehouse.api}/config`)).body).toMatchObject({ timezone: 'Europe/Berlin', passwordMinLength: 16 });
    await gatehouse.stop();
  });

  it('secrets come from files', async () => {
    const file = join(directory.path, 'database-url');
    writeFileSync(file, `${database.url}\n`);
    const gatehouse = await startGatehouse({ env: { DATABASE_URL: undefined, DATABASE_URL_FILE: file } });
    expect(gatehouse.output()).toContain('PostgreSQL at DATABASE_URL');
    await gatehouse.stop();
  });
});
