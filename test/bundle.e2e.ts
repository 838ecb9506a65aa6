import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
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

  it('is strict, as modules are, and all ASCII', async () => {
    const source = await readFile(join(ROOT, 'dist', 'bundle', 'parts.cjs'));
    expect(source.every((byte) => byte < 128)).toBe(true);
    // Functions that are not strict have this property.
    expect(inNode(`const { readSettings } = await compileBundle().parts().settings(); console.log(Object.hasOwn(readSettings, 'arguments'));`)).toBe('false\n');
  });

  it('brings along what V8 made of it, and V8 takes it', () => {
    expect(inNode('console.log(compileBundle().script.cachedDataRejected);')).toBe('false\n');
  });

  it.each([
    ['of another program', (code: Buffer, source: string): [Buffer, string] => [code, source.replace(/^\/\/ ./, (begin) => `// ${begin.endsWith('0') ? '1' : '0'}`)]],
    ['cut off', (code: Buffer, source: string): [Buffer, string] => [code.subarray(0, -1), source]],
    ['empty', (_code: Buffer, source: string): [Buffer, string] => [Buffer.alloc(0), source]],
    ['with zeros in the place of half of it', (code: Buffer, source: string): [Buffer, string] => [Buffer.from(code).fill(0, code.length / 2 | 0), source]],
  ])('does without the code if that is %s', async (name, broken) => {
    const dist = join(directory.path, name.replaceAll(' ', '-'), 'dist');
    await mkdir(join(dist, 'bundle'), { recursive: true });
    await cp(join(ROOT, 'dist', 'load-parts.js'), join(dist, 'load-parts.js'));
    await writeFile(join(dist, '..', 'package.json'), '{"type":"module"}');
    const [code, source] = broken(await readFile(join(ROOT, 'dist', 'bundle', 'parts.cache')), await readFile(join(ROOT, 'dist', 'bundle', 'parts.cjs'), 'latin1'));
    await writeFile(join(dist, 'bundle', 'parts.cache'), code);
    await writeFile(join(dist, 'bundle', 'parts.cjs'), source, 'latin1');
    // Not even offered: V8 would say that it refuses it.
    expect(inNode('const { parts, script } = compileBundle(); parts(); console.log(script.cachedDataRejected);', dist)).toBe('undefined\n');
  });
});

/** Runs a piece of code with what loads the bundle of a build. */
function inNode(code: string, dist = join(ROOT, 'dist')): string {
  const all = `import { compileBundle } from ${JSON.stringify(join(dist, 'load-parts.js'))}; ${code}`;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', all], { encoding: 'utf8' });
}
