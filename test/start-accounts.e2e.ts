import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Api } from './support/client.js';
import { embeddedIn, makeDirectory, postgresBelow, type TestDirectory } from './support/directory.js';
import { startGatehouse } from './support/gatehouse.js';
import { OWNER, WITH_OWNER } from './support/suite.js';

const NOBODY = 65_534;
const SYSTEM_DIR = '/var/lib/gatehouse';
const isRoot = process.getuid?.() === 0;

/** Starts twice on a directory; the second start finds the first one's owner. */
async function startTwice(dataDir: string, uid?: number): Promise<void> {
  for (const env of [WITH_OWNER, {}]) {
    const gatehouse = await startGatehouse({ env: { ...embeddedIn(dataDir), ...env }, ...(uid === undefined ? {} : { uid, cwd: '/' }) });
    await new Api(gatehouse).login(OWNER.email, OWNER.password);
    expect(await gatehouse.stop()).toBe(0);
  }
}

(isRoot ? describe : describe.skip)('whose account it runs under', () => {
  let directory: TestDirectory;
  afterEach(() => { directory.remove(); });

  it('an ordinary user keeps everything in a directory of its own', async () => {
    directory = makeDirectory(0o755);
    const own = join(directory.path, 'own');
    mkdirSync(own, { mode: 0o700 });
    chownSync(own, NOBODY, NOBODY);
    await startTwice(join(own, 'data'), NOBODY);
    expect(statSync(join(own, 'data', 'jwt-secret'))).toMatchObject({ uid: NOBODY });
    expect(statSync(join(own, 'data')).mode & 0o777).toBe(0o700);
    expect(postgresBelow(own)).toEqual([]);
  });

  it('root keeps the cluster where its account can reach it, and DATA_DIR says where', async () => {
    directory = makeDirectory(0o700);
    const dataDir = join(directory.path, 'data');
    await startTwice(dataDir);
    const note = readFileSync(join(dataDir, 'postgres-is-elsewhere.txt'), 'utf8');
    const [place = '', its = ''] = /\/var\/lib\/gatehouse\/([^/\s]+)\S*/.exec(note) ?? [];
    expect(its).not.toBe('');
    expect(existsSync(place)).toBe(true);
    expect(statSync(join(dataDir, 'jwt-secret'))).toMatchObject({ uid: 0 });
    expect(statSync(directory.path).mode & 0o777).toBe(0o700);
    expect(postgresBelow(place)).toEqual([]);
    rmSync(join(SYSTEM_DIR, its), { recursive: true, force: true });
  });
});
