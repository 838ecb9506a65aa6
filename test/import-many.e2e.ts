import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { launchCli } from './support/cli.js';
import { type Json, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { startGatehouse } from './support/gatehouse.js';

jest.setTimeout(600_000);

/** `SCALE=long` imports as many as one installation may have; without it, enough to fill the memory that there is. */
const COUNT = process.env['SCALE'] === undefined ? 10_000 : 100_000;
/** Megabytes for everything that the command holds, half of which it takes before the first line. */
const HEAP_MB = 72;

/** Made by libxcrypt, of `correct horse battery`, at cost 4. */
const HASH = '$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS';

/** A file that is never there as a whole, with a column that nothing is made of: if it were kept, it would fill the memory. */
function* file(): Generator<string> {
  yield 'email,username,name,role,password_hash,is_active,created_at,biography\n';
  const biography = 'a long life '.repeat(500);
  for (let from = 0; from < COUNT; from += 500) {
    yield Array.from({ length: 500 }, (_, index) => {
      const number = String(from + index);
      return `person.${number}@a-rather-long-name.example.com,person.${number},Person ${number},user,${HASH},t,2024-01-15 10:30:00,${number} ${biography}\n`;
    }).join('');
  }
}

let database: TestDatabase;
beforeAll(async () => { database = await createDatabase(); });
afterAll(() => database.drop());

const run = async (command: string): Promise<{ outcome: Json; stderr: string; seconds: number }> => {
  const since = Date.now();
  const env = { DATABASE_URL: database.url, NODE_OPTIONS: `--max-old-space-size=${String(HEAP_MB)}` };
  const { child, output } = launchCli([...command.split(' '), '--json'], { env, input: null });
  const ended = once(child, 'close');
  // How it ended says more than that it read no further.
  await pipeline(Readable.from(file()), child.stdin!).catch(() => undefined);
  await ended;
  if (child.exitCode !== 0) throw new Error(`ended with ${String(child.exitCode)}: ${output().stderr}`);
  return { outcome: JSON.parse(output().stdout), stderr: output().stderr, seconds: (Date.now() - since) / 1000 };
};

it(`${String(COUNT)} accounts are imported in ${String(HEAP_MB)} MB, and again, and exported`, async () => {
  const first = await run('import users -');
  expect(first.outcome).toEqual({ read: COUNT, imported: COUNT, unchanged: 0, refused: 0, done: true, dryRun: false });
  const again = await run('import users -');
  expect(again.outcome).toEqual({ read: COUNT, imported: 0, unchanged: COUNT, refused: 0, done: true, dryRun: false });
  const { rows } = await database.pool.query<{ count: string; last: string }>('SELECT count(*), max(id::text) AS last FROM users');
  expect(Number(rows[0]!.count)).toBe(COUNT);
  // The indexes of the search are as before, and have everybody.
  const options = await database.pool.query<{ reloptions: string[] }>("SELECT reloptions FROM pg_class WHERE relname LIKE 'users_searched_%'");
  for (const { reloptions } of options.rows) expect(reloptions).toEqual(['fastupdate=off']);
  const server = await startGatehouse({ env: { DATABASE_URL: database.url } });
  const signedIn = await send(`POST ${server.url}/api/v1/auth/login`, { json: { identifier: `person.${String(COUNT - 1)}`, password: 'correct horse battery' } });
  await server.stop();
  expect(signedIn.status).toBe(200);

  const since = Date.now();
  const { child } = launchCli(['export', 'users'], { env: { DATABASE_URL: database.url, NODE_OPTIONS: `--max-old-space-size=${String(HEAP_MB)}` } });
  let lines = 0;
  child.stdout?.on('data', (chunk: Buffer) => { lines += chunk.toString('latin1').split('\n').length - 1; });
  await once(child, 'close');
  expect({ code: child.exitCode, lines }).toEqual({ code: 0, lines: COUNT });
  const exported = (Date.now() - since) / 1000;
  process.stderr.write(`${String(COUNT)} accounts: import ${String(first.seconds)} s, again ${String(again.seconds)} s, export ${String(exported)} s\n`);
});

it('an import is none the worse when the indexes of the search cannot be brought back at first', async () => {
  await database.pool.query(`
    CREATE SEQUENCE attempts;
    CREATE FUNCTION fail_once() RETURNS event_trigger LANGUAGE plpgsql AS $$
      BEGIN IF current_query() LIKE '%fastupdate = off%' AND nextval('attempts') = 1 THEN RAISE 'not now'; END IF; END $$;
    CREATE EVENT TRIGGER fails_once ON ddl_command_start WHEN TAG IN ('ALTER INDEX') EXECUTE FUNCTION fail_once()`);
  const { outcome } = await run('import users -');
  expect(outcome).toMatchObject({ read: COUNT, done: true });
  const { rows } = await database.pool.query<{ tried: boolean; reloptions: string[] }>(
    "SELECT (SELECT last_value > 1 FROM attempts) AS tried, reloptions FROM pg_class WHERE relname = 'users_searched_characters_idx'");
  expect(rows).toEqual([{ tried: true, reloptions: ['fastupdate=off'] }]);
});
