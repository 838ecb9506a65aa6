import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { findBinaries, usableBinaries } from '../src/database/embedded/binaries.js';
import { type EmbeddedPostgres, EmbeddedPostgresError, type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../src/database/embedded/index.js';
import { eventually } from './support/client.js';
import type { KeeperReport } from './support/keeper-process.js';

jest.setTimeout(60_000);

const asRoot = process.getuid?.() === 0;
const whenRoot = asRoot ? it : it.skip;
const NOBODY = 65534;

let scratch: string;
/** a data directory with a cluster in it, made once: most tests are not about the first start */
let template: string;
const running: EmbeddedPostgres[] = [];
const keepers: KeeperProcess[] = [];

beforeAll(async () => {
  template = realpathSync(mkdtempSync(join(tmpdir(), 'gh-keeper-template-')));
  chmodSync(template, 0o755);
  await (await startEmbeddedPostgres({ dataDir: join(template, 'data'), systemDir: join(template, 'system'), log: () => undefined })).stop();
});

afterAll(() => { rmSync(template, { recursive: true, force: true }); });

beforeEach(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), 'gh-keeper-')));
  // As root, PostgreSQL runs as another account, which has to get in.
  chmodSync(scratch, 0o755);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  await Promise.all(keepers.splice(0).map((keeper) => keeper.end()));
  const left = processesOn(scratch);
  for (const pid of left) process.kill(pid, 'SIGQUIT');
  await soon(() => { expect(processesOn(scratch)).toEqual([]); });
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  expect(left).toEqual([]);
});

describe('one Gatehouse', () => {
  it('creates the database at the first start and finds the rows again at the next', async () => {
    const first = await start();
    await insert(first, 'kept');
    const { encoding, provider, locale } = (await query(first,
      `SELECT pg_encoding_to_char(encoding) AS encoding, datlocprovider AS provider, datlocale AS locale FROM pg_database WHERE datname = 'gatehouse'`))[0] ?? {};
    expect({ encoding, provider, locale }).toEqual({ encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8' });
    expect(await query(first, `SELECT lower('ÄÖÜ') AS lower, current_setting('TimeZone') AS zone, current_setting('fsync') AS fsync`))
      .toEqual([{ lower: 'äöü', zone: 'UTC', fsync: 'on' }]);
    await first.stop();
    await first.stop();
    expect(processesOn(scratch)).toEqual([]);

    const second = await start();
    expect(second.connection).toEqual(first.connection);
    expect(await rows(second)).toEqual(['kept']);
  });

  it('keeps a socket that only its account can enter, no open port, and no secret in arguments or log', async () => {
    const server = await start({ throwAway: true });
    expect(server.connection.host).toBe(server.clusterDir);
    expect(statSync(server.clusterDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(server.clusterDir, 'gatehouse.password')).mode & 0o777).toBe(0o600);
    expect(await query(server, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '' }]);
    expect(execFileSync('ps', ['-eo', 'args', '-ww'], { encoding: 'utf8' })).not.toContain(server.connection.password);
    expect(readFileSync(join(scratch, 'data/postgres.log'), 'utf8')).not.toContain(server.connection.password);
    await expect(query(server, 'SELECT 1', { password: 'wrong' })).rejects.toThrow('password authentication failed');
  });

  it('listens on a free loopback port if asked to', async () => {
    seed();
    const server = await start({ throwAway: true, reach: 'loopback' });
    expect(server.connection.host).toBe('127.0.0.1');
    expect(server.connection.port).toBeGreaterThan(1023);
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('puts the socket into a private directory when its path would be too long, and removes it again', async () => {
    const dataDir = join(scratch, 'a "long", path '.repeat(5), 'b'.repeat(60));
    const server = await start({ throwAway: true, dataDir });
    const { host } = server.connection;
    expect(host.startsWith(server.clusterDir)).toBe(false);
    expect(statSync(host).mode & 0o777).toBe(0o700);
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await server.stop();
    expect(existsSync(host)).toBe(false);
  });

  it('removes what a start that was killed in the middle left behind', async () => {
    mkdirSync(join(scratch, 'data/postgres.new-dead/cluster'), { recursive: true });
    chmodSync(join(scratch, 'data'), 0o755);
    await start({ throwAway: true });
    expect(readdirSync(join(scratch, 'data')).sort()).toEqual(['postgres', 'postgres.log']);
  });

  it('rotates a log that has grown too large', async () => {
    mkdirSync(join(scratch, 'data'), { mode: 0o755 });
    writeFileSync(join(scratch, 'data/postgres.log'), 'x'.repeat(5 * 1024 * 1024));
    await start({ throwAway: true });
    expect(statSync(join(scratch, 'data/postgres.log')).size).toBeLessThan(100_000);
    expect(statSync(join(scratch, 'data/postgres.log.1')).size).toBe(5 * 1024 * 1024);
  });

  it('is not misled by a postmaster.pid whose number another process of the same account has now', async () => {
    seed();
    await (await start({ throwAway: true })).stop();
    const bystander = spawn('sleep', ['60'], asRoot ? { uid: NOBODY } : {});
    try {
      const cluster = join(scratch, 'data/postgres');
      writeFileSync(join(cluster, 'postmaster.pid'), [bystander.pid, cluster, 1, 5432, cluster, '', '', 'ready', ''].join('\n'));
      expect(await query(await start({ throwAway: true }), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      bystander.kill();
    }
  });

  it('starts although a crash left a postmaster.pid without content', async () => {
    seed();
    await (await start({ throwAway: true })).stop();
    writeFileSync(join(scratch, 'data/postgres/postmaster.pid'), '');
    expect(await query(await start({ throwAway: true }), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('two of them', () => {
  it('refuses the second and names the first', async () => {
    seed();
    await start({ throwAway: true });
    const second = keeper();
    const refusal = await second.refused();
    expect(refusal.message).toBe(
      `another Gatehouse (process ${process.pid}) is already using DATA_DIR ${join(scratch, 'data')}; stop it, or set another DATA_DIR / --data-dir`);
  });

  it('makes one owner of two first starts at once', async () => {
    await expectOneOwner();
    expect(readdirSync(join(scratch, 'data')).sort()).toEqual(['postgres', 'postgres.log']);
  });

  it('makes one owner of three starts at once on an existing directory, and on an orphan', async () => {
    seed();
    const first = keeper();
    await insert(await first.ready(), 'kept');
    await first.stop();
    expect(await rows(await expectOneOwner(3))).toEqual(['kept']);

    const owner = keepers.find((one) => one.isReady && one !== first);
    await owner?.kill();
    expect(processesOn(scratch)).not.toEqual([]);
    expect(await rows(await expectOneOwner(3))).toEqual(['kept']);
  });

  it('leaves a PostgreSQL alone that somebody else started there', async () => {
    seed();
    const server = await start({ throwAway: true });
    await server.stop();
    const { postgres } = await findBinaries();
    const foreign = spawn(postgres, ['-D', server.clusterDir, '-c', 'listen_addresses=', '-c', `unix_socket_directories=${server.clusterDir}`],
      { stdio: 'ignore', ...(asRoot && { uid: NOBODY, gid: NOBODY }) });
    try {
      await soon(async () => { await query(server, 'SELECT 1'); });
      await expect(start()).rejects.toThrow(`(process ${foreign.pid}) that Gatehouse did not start`);
      expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      foreign.kill('SIGINT');
      await once(foreign, 'exit');
    }
  });
});

describe('what goes wrong while it runs', () => {
  it('kill -9 of Gatehouse: the next start has every committed row', async () => {
    seed();
    const first = keeper({ throwAway: false });
    const { connection } = await first.ready();
    const client = new Client(connection);
    client.on('error', () => undefined);
    await client.connect();
    await client.query('CREATE TABLE notes (text text)');
    for (let i = 0; i < 50; i++) await client.query('INSERT INTO notes VALUES ($1)', [`row ${i}`]);
    await first.kill();
    expect(processesOn(scratch)).toHaveLength(1);

    const next = await start();
    expect(await rows(next)).toHaveLength(50);
    await client.end().catch(() => undefined);
  });

  it('kill -9 of Gatehouse and of PostgreSQL at once: the next start recovers', async () => {
    seed();
    const first = keeper({ throwAway: false });
    await insert(await first.ready(), 'kept');
    const [postmaster = 0] = processesOn(scratch);
    process.kill(postmaster, 'SIGKILL');
    await first.kill();
    expect(await rows(await start())).toEqual(['kept']);
  });

  it('kill -9 of PostgreSQL: it comes back at the same address with its rows, and stays owned', async () => {
    seed();
    const server = await start();
    await insert(server, 'kept');
    for (let round = 0; round < 2; round++) {
      const [postmaster = 0] = processesOn(scratch);
      process.kill(postmaster, 'SIGKILL');
      await soon(async () => {
        expect(processesOn(scratch)).not.toContain(postmaster);
        expect(await rows(server)).toContain('kept');
      });
    }
    expect((await keeper().refused()).message).toContain(`process ${process.pid}`);
  });

  it('kill -9 of a backend: PostgreSQL recovers by itself and the lock is taken again', async () => {
    seed();
    const logged: string[] = [];
    const server = await start({ log: (_level, message) => { logged.push(message); } });
    const client = new Client(server.connection);
    client.on('error', () => undefined);
    await client.connect();
    const { rows: [backend] } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    process.kill(backend?.pid ?? 0, 'SIGKILL');
    await soon(() => { expect(logged.join()).toContain('it is back'); });
    expect((await keeper().refused()).message).toContain(`process ${process.pid}`);
  });

  it('the connection with the lock is cut: it is taken again', async () => {
    seed();
    const logged: string[] = [];
    const server = await start({ throwAway: true, log: (_level, message) => { logged.push(message); } });
    await query(server, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
    await soon(() => { expect(logged.join()).toContain('it is back'); });
    expect((await keeper().refused()).message).toContain(`process ${process.pid}`);
  });

  it('somebody else takes the lock meanwhile: it is lost', async () => {
    seed();
    const lost = jest.fn();
    const server = await start({ throwAway: true, onLost: lost });
    const thief = new Client({ ...server.connection, database: 'postgres' });
    thief.on('error', () => undefined);
    await thief.connect();
    // The lock waits in line, so it is the thief's before the keeper can ask again.
    const [{ classid, objid } = {}] = await query(server, `SELECT classid::int, objid::int FROM pg_locks WHERE locktype = 'advisory'`);
    const stolen = thief.query('SELECT pg_advisory_lock($1, $2)', [classid, objid]);
    await soon(async () => { expect(await query(server, `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)).toHaveLength(1); });
    await query(server, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted`);
    await stolen;
    await soon(() => { expect(lost).toHaveBeenCalledTimes(1); });
    expect(lost).toHaveBeenCalledWith(expect.objectContaining({ message: expect.stringContaining('another Gatehouse') as string }));
    await thief.end();
    await server.stop();
    // What a Gatehouse that took the lock would do: stop the server and start its own.
    expect(await query(await start({ throwAway: true }), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('it cannot be started again: it is lost, with the end of the log', async () => {
    seed();
    const lost = jest.fn();
    const server = await start({ throwAway: true, onLost: lost });
    writeFileSync(join(server.clusterDir, 'postgresql.conf'), 'nonsense = 1\n');
    for (const pid of processesOn(scratch)) process.kill(pid, 'SIGKILL');
    await soon(() => { expect(lost).toHaveBeenCalledTimes(1); });
    expect(lost).toHaveBeenCalledWith(expect.objectContaining({ message: expect.stringContaining('nonsense') as string }));
    await server.stop();
  });

  it('is stopped while it is coming back', async () => {
    seed();
    const server = await start({ throwAway: true });
    for (const pause of [0, 20, 120, 180]) {
      const again = pause === 0 ? server : await start({ throwAway: true });
      for (const pid of processesOn(scratch)) process.kill(pid, 'SIGKILL');
      await delay(pause);
      await again.stop();
      await soon(() => { expect(processesOn(scratch)).toEqual([]); });
    }
  });

  it('the process ends without a word (an uncaught exception): PostgreSQL ends too', async () => {
    seed();
    const one = keeper();
    await one.ready();
    one.child.send('exit');
    await once(one.child, 'exit');
    await soon(() => { expect(processesOn(scratch)).toEqual([]); });
  });
});

describe('what is refused, in words', () => {
  it('a cluster of another PostgreSQL version', async () => {
    seed();
    const server = await start({ throwAway: true });
    await server.stop();
    writeFileSync(join(server.clusterDir, 'PG_VERSION'), '16\n');
    await expect(start()).rejects.toThrow(/was made by PostgreSQL 16, and this Gatehouse brings PostgreSQL 18; .*pg_dump/);
  });

  it('a platform without binaries', async () => {
    await expect(findBinaries('sunos', 'sparc')).rejects.toThrow(EmbeddedPostgresError);
    await expect(findBinaries('sunos', 'sparc')).rejects.toThrow(/sunos sparc.*set DATABASE_URL/);
  });

  it('a file where the directory should be, and a directory that is no cluster', async () => {
    writeFileSync(join(scratch, 'file'), '');
    await expect(start({ dataDir: join(scratch, 'file') })).rejects.toThrow(/DATA_DIR .*a file is in the way/);
    mkdirSync(join(scratch, 'data/postgres'), { recursive: true });
    writeFileSync(join(scratch, 'data/postgres/letter.txt'), '');
    if (asRoot) chownSync(join(scratch, 'data/postgres'), NOBODY, NOBODY);
    await expect(start({ throwAway: true })).rejects.toThrow(/something that is not a database is in its place/);
    expect(readdirSync(join(scratch, 'data'))).toEqual(['postgres']);
  });

  it('a configuration that PostgreSQL refuses, with the end of its log', async () => {
    seed();
    const server = await start({ throwAway: true });
    await server.stop();
    writeFileSync(join(server.clusterDir, 'postgresql.conf'), 'nonsense = 1\n');
    await expect(start({ throwAway: true })).rejects.toThrow(/does not start.*\n.*nonsense/s);
  });

  whenRoot('a full disk', async () => {
    const disk = join(scratch, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', disk], { stdio: 'pipe' });
    } catch {
      // A container may not mount: there is no other way to have a small disk.
      return;
    }
    try {
      await expect(start({ dataDir: join(disk, 'data') })).rejects.toThrow(/could not be created in .*: the disk is full; .*initdb said/s);
      expect(readdirSync(join(disk, 'data'))).toEqual([]);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

describe('accounts', () => {
  it('makes the library links that npm ci --ignore-scripts leaves out', async () => {
    const found = await findBinaries();
    const bare = join(scratch, 'native');
    cpSync(found.root, bare, { recursive: true, filter: (path) => !path.endsWith('.a') });
    for (const name of readdirSync(join(bare, 'lib'))) {
      if (/^libicu.*\.so(\.60)?$/.test(name)) rmSync(join(bare, 'lib', name));
    }
    const postgres = join(bare, 'bin/postgres');
    expect(() => execFileSync(postgres, ['--version'], { stdio: 'pipe' })).toThrow('libicu');
    await usableBinaries({ ...found, root: bare, postgres }, null, scratch);
    expect(execFileSync(postgres, ['--version'], { encoding: 'utf8' })).toContain('PostgreSQL) 18');
  });

  whenRoot('root: PostgreSQL runs as nobody', async () => {
    await start({ throwAway: true });
    const [postmaster] = processesOn(scratch);
    expect(statSync(`/proc/${postmaster}`).uid).toBe(NOBODY);
    expect(statSync(join(scratch, 'data')).mode & 0o777).toBe(0o711);
  });

  whenRoot('root: the owner of an existing cluster runs it, and what root owns is handed over', async () => {
    seed();
    const server = await start({ throwAway: true });
    await server.stop();
    execFileSync('chown', ['-R', '12345:12345', server.clusterDir]);
    const second = await start({ throwAway: true });
    expect(statSync(`/proc/${processesOn(scratch)[0]}`).uid).toBe(12345);
    await second.stop();
    execFileSync('chown', ['-R', '0:0', server.clusterDir]);
    await start({ throwAway: true });
    expect(statSync(`/proc/${processesOn(scratch)[0]}`).uid).toBe(NOBODY);
  });

  whenRoot('root: where nobody cannot reach the data directory, the cluster goes to the system directory and a note says so', async () => {
    mkdirSync(join(scratch, 'home'), { mode: 0o700 });
    const dataDir = join(scratch, 'home/data');
    const systemDir = join(scratch, 'system');
    const first = await start({ throwAway: true, dataDir, systemDir });
    await insert(first, 'kept');
    expect(first.clusterDir.startsWith(join(systemDir, 'data-'))).toBe(true);
    expect(readFileSync(join(dataDir, 'postgres-is-elsewhere.txt'), 'utf8')).toContain(`\n${first.clusterDir}\n`);
    expect((await keeper({ dataDir, systemDir }).refused()).message).toContain('is already using DATA_DIR');
    await first.stop();

    expect(await rows(await start({ throwAway: true, dataDir, systemDir }))).toEqual(['kept']);
    await running.pop()?.stop();
    rmSync(systemDir, { recursive: true });
    await expect(start({ dataDir, systemDir })).rejects.toThrow(/should be in .*, but it is not there/);
  });

  whenRoot('root: binaries that nobody cannot reach are copied once', async () => {
    const found = await findBinaries();
    const account = { uid: NOBODY, gid: NOBODY, name: 'nobody' };
    mkdirSync(join(scratch, 'root'), { mode: 0o700 });
    const hidden = join(scratch, 'root/native');
    cpSync(found.root, hidden, { recursive: true, verbatimSymlinks: true });
    const systemDir = join(scratch, 'system');
    const binaries = { ...found, root: hidden, postgres: join(hidden, 'bin/postgres') };
    const copies = await Promise.all([usableBinaries(binaries, account, systemDir), usableBinaries(binaries, account, systemDir)]);
    expect(copies.map((copy) => copy.root)).toEqual(Array(2).fill(join(systemDir, `binaries-${found.version}`)));
    expect(readdirSync(systemDir)).toEqual([`binaries-${found.version}`]);
    const { ino } = statSync(join(systemDir, `binaries-${found.version}`));
    await usableBinaries(binaries, account, systemDir);
    expect(statSync(join(systemDir, `binaries-${found.version}`)).ino).toBe(ino);
    // One that was damaged is made anew, and nothing of it stays.
    rmSync(join(systemDir, `binaries-${found.version}`, 'bin/postgres'));
    await usableBinaries(binaries, account, systemDir);
    expect(readdirSync(systemDir)).toEqual([`binaries-${found.version}`]);
  });

  whenRoot('an ordinary user: the same, in a directory of its own', async () => {
    const home = join(scratch, 'home');
    mkdirSync(home, { mode: 0o700 });
    chownSync(home, NOBODY, NOBODY);
    const one = keeper({ dataDir: join(home, 'data') }, NOBODY);
    expect(await query(await one.ready(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await one.stop();
  });

  whenRoot('an ordinary user without an entry in /etc/passwd is told so', async () => {
    const home = join(scratch, 'home');
    mkdirSync(home, { mode: 0o700 });
    chownSync(home, 12345, 12345);
    expect((await keeper({ dataDir: join(home, 'data') }, 12345).refused()).message).toMatch(/\(12345\) has no entry in \/etc\/passwd.*DATABASE_URL/);
    expect(readdirSync(join(home, 'data'))).toEqual([]);
  });

  whenRoot('an ordinary user: a cluster of another account, and a directory it may not write, are refused in words', async () => {
    seed();
    const server = await start({ throwAway: true });
    await server.stop();
    const other = keeper({}, 12345);
    expect((await other.refused()).message).toMatch(/belongs to the account nobody, and Gatehouse runs as user 12345; start Gatehouse as nobody or root/);
    mkdirSync(join(scratch, 'closed'), { mode: 0o755 });
    const refusal = await keeper({ dataDir: join(scratch, 'closed') }, 12345).refused();
    expect(refusal).toMatchObject({ name: 'EmbeddedPostgresError', message: expect.stringMatching(/EACCES.*give this account the right to write/) as string });
  });
});

/** A recovery takes its time. */
const soon = (check: () => Promise<void> | void): Promise<void> => eventually(check, 30_000);

/** Puts a cluster into the data directory, as an earlier start would have. */
function seed(): void {
  execFileSync('cp', ['-a', join(template, 'data'), join(scratch, 'data')]);
}

type Options = Partial<EmbeddedPostgresOptions>;

async function start(options: Options = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir: join(scratch, 'data'), systemDir: join(scratch, 'system'), log: () => undefined, ...options });
  running.push(server);
  return server;
}

/** A keeper in a process of its own. */
class KeeperProcess {
  readonly reports: KeeperReport[] = [];

  constructor(readonly child: ChildProcess) {
    child.on('message', (report) => { this.reports.push(report as KeeperReport); });
  }

  get isReady(): boolean {
    return this.reports.some((report) => report.event === 'ready');
  }

  ready() { return this.report('ready'); }

  refused() { return this.report('refused'); }

  async stop(): Promise<void> {
    this.child.send('stop');
    await this.report('stopped');
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    await exited;
  }

  /** Whether it was started or refused. */
  async outcome(): Promise<'ready' | 'refused'> {
    await soon(() => { expect(this.reports.some(({ event }) => event === 'ready' || event === 'refused')).toBe(true); });
    return this.isReady ? 'ready' : 'refused';
  }

  private async report<E extends KeeperReport['event']>(event: E): Promise<Extract<KeeperReport, { event: E }>> {
    const other = event === 'ready' ? 'refused' : event === 'refused' ? 'ready' : null;
    await soon(() => { expect(this.reports.some((report) => report.event === event || report.event === other)).toBe(true); });
    const report = this.reports.find((one) => one.event === event);
    if (!report) throw new Error(`expected ${event}: ${JSON.stringify(this.reports)}`);
    return report as Extract<KeeperReport, { event: E }>;
  }
}

function keeper(options: Options = {}, uid?: number): KeeperProcess {
  const settings = { dataDir: join(scratch, 'data'), systemDir: join(scratch, 'system'), throwAway: true, ...options };
  const child = fork(join(__dirname, 'support/keeper-process.ts'), [JSON.stringify(settings)], {
    cwd: join(__dirname, '..'),
    execArgv: ['--import', '@swc-node/register/esm-register'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const process = new KeeperProcess(child);
  keepers.push(process);
  return process;
}

/** Starts several at once; one is ready, the others are refused with the message for that. */
async function expectOneOwner(count = 2): Promise<{ connection: EmbeddedPostgres['connection'] }> {
  const contenders = Array.from({ length: count }, () => keeper());
  const outcomes = await Promise.all(contenders.map((contender) => contender.outcome()));
  expect(outcomes.filter((outcome) => outcome === 'ready')).toHaveLength(1);
  for (const loser of contenders.filter((contender) => !contender.isReady)) {
    expect((await loser.refused()).message).toMatch(/^another Gatehouse( \(process \d+\))? is already using DATA_DIR/);
  }
  const winner = contenders.find((contender) => contender.isReady);
  if (!winner) throw new Error('nobody won');
  return winner.ready();
}

type Row = Record<string, unknown>;

async function query(server: Pick<EmbeddedPostgres, 'connection'>, sql: string, override: { password?: string } = {}, parameters: unknown[] = []): Promise<Row[]> {
  const client = new Client({ ...server.connection, ...override });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Row>(sql, parameters)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function insert(server: Pick<EmbeddedPostgres, 'connection'>, text: string): Promise<void> {
  await query(server, 'CREATE TABLE IF NOT EXISTS notes (text text)');
  await query(server, 'INSERT INTO notes VALUES ($1)', {}, [text]);
}

async function rows(server: Pick<EmbeddedPostgres, 'connection'>): Promise<unknown[]> {
  return (await query(server, 'SELECT text FROM notes')).map((row) => row['text']);
}

/** The PostgreSQL servers whose cluster is below a directory. */
function processesOn(directory: string): number[] {
  return execFileSync('ps', ['-ww', '-eo', 'pid=,stat=,args='], { encoding: 'utf8' }).split('\n')
    .filter((line) => line.includes(`postgres -D ${directory}`) && !/^\s*\d+\s+Z/.test(line))
    .map((line) => Number.parseInt(line, 10));
}
