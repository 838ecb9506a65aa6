import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Api } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { makeDirectory, type TestDirectory } from './support/directory.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { OWNER, WITH_OWNER } from './support/suite.js';

const ROOT = join(__dirname, '..');

/** Packages that stay outside, and those that they bring along. */
const OUTSIDE = ['@node-rs/argon2', 'bcrypt', 'node-gyp-build', 'swagger-ui-dist'];

describe('the program in one file', () => {
  let directory: TestDirectory;
  let database: TestDatabase;

  beforeAll(async () => {
    directory = makeDirectory();
    database = await createDatabase();
  });

  afterAll(async () => {
    await database.drop();
    directory.remove();
  });

  /** Starts a server, has it used, and tells which files V8 read for it. */
  async function filesOf(program: string): Promise<string[]> {
    const coverage = join(directory.path, 'coverage');
    const env = { ...WITH_OWNER, DATABASE_URL: database.url, NODE_V8_COVERAGE: coverage };
    const gatehouse = await startGatehouse({ env, program: [program] });
    await use(gatehouse).finally(() => gatehouse.stop());
    const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(join(coverage, name), 'utf8')));
    await rm(coverage, { recursive: true });
    const scripts = reports.flatMap((report) => (JSON.parse(report) as { result: { url: string }[] }).result);
    return scripts.map(({ url }) => url).filter((url) => url.startsWith('file:'));
  }

  async function use(gatehouse: Gatehouse): Promise<void> {
    const api = new Api(gatehouse);
    const { accessToken } = await api.login(OWNER.email, OWNER.password);
    await api.createKey(accessToken, ['users:read']);
    for (const path of ['/docs', '/docs/swagger-ui.css', '/openapi.json']) {
      expect([path, (await fetch(`${gatehouse.url}${path}`)).status]).toEqual([path, 200]);
    }
  }

  it('is what the main file starts, and no library of it is loaded a second time', async () => {
    const files = await filesOf(join(ROOT, 'dist', 'main.js'));
    const own = files.filter((url) => url.includes('/dist/') && !url.includes('/node_modules/'));
    expect(own.map((url) => url.split('/dist/')[1]).sort()).toEqual(['bundle/parts.cjs', 'load-parts.js', 'main.js', 'modest-heap.js']);
    const packages = files.map((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]).filter((name) => name !== undefined);
    expect(packages.filter((name) => !OUTSIDE.some((outside) => name.startsWith(outside)))).toEqual([]);
  });

  it('gives way to the modules where it is missing, or where they were compiled after it', async () => {
    const copy = join(directory.path, 'gatehouse');
    await mkdir(copy);
    await cp(join(ROOT, 'package.json'), join(copy, 'package.json'));
    await cp(join(ROOT, 'dist'), join(copy, 'dist'), { recursive: true, preserveTimestamps: true });
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const main = join(copy, 'dist', 'main.js');
    const loaded = async (): Promise<string[]> => (await filesOf(main)).filter((url) => /\/dist\/(bundle\/parts\.cjs|run\.js)$/.test(url)).map((url) => url.split('/dist/')[1]!);

    expect(await loaded()).toEqual(['bundle/parts.cjs']);
    const later = new Date(Date.now() + 60_000);
    await utimes(join(copy, 'dist', '.tsbuildinfo'), later, later);
    expect(await loaded()).toEqual(['run.js']);
    await rm(join(copy, 'dist', 'bundle'), { recursive: true });
    await rm(join(copy, 'dist', '.tsbuildinfo'));
    expect(await loaded()).toEqual(['run.js']);
  });

  it('brings along what V8 made of it, and V8 takes it', () => {
    const look = `import { compileBundle } from ${JSON.stringify(join(ROOT, 'dist', 'load-parts.js'))}; console.log(compileBundle().script.cachedDataRejected);`;
    expect(execFileSync(process.execPath, ['--input-type=module', '--eval', look], { encoding: 'utf8' })).toBe('false\n');
  });
});
