import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareDatabase } from '../src/database/index.js';
import { makeDirectory, type TestDirectory } from './support/directory.js';
import { runGatehouse, startGatehouse } from './support/gatehouse.js';
import { describeWith } from './support/programs.js';
import { type OwnPostgres, startPostgres } from './support/postgres.js';

const PASSWORD = 'p@ss:w/rd%?#&=+ é';

let postgres: OwnPostgres;
let directory: TestDirectory;
let url: URL;

/** Runs openssl where the certificates are. */
function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: directory.path, stdio: 'pipe' });
}

const newKey = (name: string): string[] => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];

function makeAuthority(name: string): void {
  openssl('req', '-x509', ...newKey(name), '-out', `${name}.crt`, '-days', '2', '-subj', `/CN=${name}`);
}

/** A certificate for a host, where PostgreSQL finds it. */
function makeCertificate(name: string, host: string): void {
  openssl('req', ...newKey(name), '-out', `${name}.csr`, '-subj', `/CN=${host}`);
  writeFileSync(join(directory.path, 'ext'), `subjectAltName=DNS:${host}`);
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext', '-out', `${name}.crt`);
  for (const file of [`${name}.crt`, `${name}.key`]) {
    const to = join(postgres.clusterDir, file);
    copyFileSync(join(directory.path, file), to);
    chmodSync(to, 0o600);
    if (postgres.uid !== undefined) chownSync(to, postgres.uid, postgres.uid);
  }
}

/** Shows a certificate from now on, or speaks no TLS. */
async function serve(certificate: string | null): Promise<void> {
  if (certificate !== null) {
    await postgres.set('ssl_cert_file', `${certificate}.crt`);
    await postgres.set('ssl_key_file', `${certificate}.key`);
  }
  await postgres.set('ssl', certificate === null ? 'off' : 'on');
  // Each connection sees what the postmaster has read by then.
  for (;;) {
    const { rows: [row] } = await postgres.pool.query<{ ssl: string; file: string }>("SELECT current_setting('ssl') AS ssl, current_setting('ssl_cert_file') AS file");
    if (row?.ssl === (certificate === null ? 'off' : 'on') && (certificate === null || row.file === `${certificate}.crt`)) return;
  }
}

async function makeServer(): Promise<void> {
  directory = makeDirectory(0o755);
  postgres = await startPostgres();
  makeAuthority('authority');
  makeAuthority('stranger');
  makeCertificate('server', 'localhost');
  makeCertificate('elsewhere', 'db.example');

  await postgres.pool.query(`CREATE ROLE "some@one" LOGIN PASSWORD '${PASSWORD}'`);
  url = new URL(await postgres.createDatabase('encrypted', 'OWNER "some@one"'));
  url.hostname = 'localhost';
  url.username = encodeURIComponent('some@one');
  url.password = encodeURIComponent(PASSWORD);
  // That account is let in through TLS alone.
  const rules = join(postgres.clusterDir, 'pg_hba.conf');
  writeFileSync(rules, `hostnossl all "some@one" all reject\n${readFileSync(rules, 'utf8')}`);
  await postgres.pool.query('SELECT pg_reload_conf()');
}

/** The database's URL with parameters; certificates are named by the name of their authority. */
function withParameters(parameters: string): string {
  return `${url.href}?${parameters.replaceAll(/(sslrootcert=)(\w+)/g, (_, name: string, file: string) => `${name}${encodeURIComponent(join(directory.path, `${file}.crt`))}`)}`;
}

const prepare = (parameters: string): Promise<unknown> =>
  prepareDatabase({ url: withParameters(parameters) }, { databaseConnectTimeoutMs: 5_000, databaseQueryTimeoutMs: 5_000, databasePooler: 'auto' });

describeWith(['openssl'], 'OPENSSL', 'database-tls.e2e.ts')('TLS to PostgreSQL', () => {
  beforeAll(async () => {
    await makeServer();
    await serve('server');
  });
  afterAll(async () => {
    await postgres.stop();
    directory.remove();
  });

  it.each([
    'sslmode=require&sslrootcert=authority',
    'sslmode=verify-ca&sslrootcert=authority',
    'sslmode=verify-full&sslrootcert=authority',
    'sslrootcert=authority',
    'sslmode=no-verify',
    'sslmode=require&uselibpqcompat=true',
  ])('%s is let in', async (parameters) => {
    expect(await prepare(parameters)).toMatchObject({ pooler: false });
  });

  it.each([
    ['sslmode=require', 'certificate is not trusted'],
    ['sslmode=prefer', 'certificate is not trusted'],
    ['sslmode=verify-full', 'certificate is not trusted'],
    ['sslmode=verify-full&sslrootcert=stranger', 'certificate is not trusted'],
    ['sslmode=require&sslrootcert=stranger', 'certificate is not trusted'],
    ['sslmode=verify-full&sslrootcert=missing', 'no such file'],
    ['sslmode=disable', 'no encryption'],
    ['', 'no encryption'],
  ])('"%s" is not: %s', async (parameters, reason) => {
    await expect(prepare(parameters)).rejects.toMatchObject({ name: 'DatabaseRefusedError', message: expect.stringContaining(reason) as string });
  });

  describe('with a certificate for another host', () => {
    beforeAll(() => serve('elsewhere'));

    it.each(['require', 'verify-ca', 'verify-full'])('sslmode=%s refuses it', async (mode) => {
      await expect(prepare(`sslmode=${mode}&sslrootcert=authority`)).rejects.toMatchObject({ name: 'DatabaseRefusedError', message: expect.stringContaining('db.example') as string });
    });

    it('libpq\'s verify-ca, asked for by name, does not look at the host', async () => {
      expect(await prepare('sslmode=verify-ca&sslrootcert=authority&uselibpqcompat=true')).toMatchObject({ pooler: false });
    });
  });

  it('a server that speaks no TLS is refused', async () => {
    await serve(null);
    await expect(prepare('sslmode=require&sslrootcert=authority')).rejects.toMatchObject({ message: 'The server does not support SSL connections' });
    await serve('server');
  });

  describe('a start', () => {
    beforeAll(() => serve('server'));

    it('uses TLS for every connection, and warns of nothing', async () => {
      const gatehouse = await startGatehouse({ env: { DATABASE_URL: withParameters('sslmode=require&sslrootcert=authority') } });
      const { rows } = await postgres.pool.query(
        "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'gatehouse' AND datname = 'encrypted'",
      );
      expect(rows).toEqual([{ ssl: true }]);
      expect(await gatehouse.stop()).toBe(0);
      expect(gatehouse.output()).not.toMatch(/warning/i);
    });

    it('fails at once with a stranger\'s certificate, and says what to do', async () => {
      const { code, output } = await runGatehouse({ env: { DATABASE_URL: withParameters('sslmode=require&sslrootcert=stranger') } });
      expect(code).toBe(1);
      expect(output).toMatch(/Gatehouse cannot start\.\n\nthe database localhost:\d+\/encrypted that DATABASE_URL names cannot be used: its certificate is not trusted; sslrootcert=<file>/);
      expect(output).not.toContain('waiting for it');
      expect(output).not.toContain('p@ss');
    });
  });
});
