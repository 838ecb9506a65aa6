import { DataSource } from 'typeorm';
import { ApiKeyChange } from '../src/api-keys/api-key-change.entity.js';
import { ApiKeyChanges, type ChangesSeen } from '../src/api-keys/api-key-changes.js';
import { dataSourceOptions } from '../src/database/data-source-options.js';
import { createDatabase, type TestDatabase } from './support/database.js';

const USER = '00000000-0000-4000-8000-000000000001';
const KEYS = ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b'] as const;

let database: TestDatabase;
let dataSource: DataSource;
let changes: ApiKeyChanges;

beforeEach(async () => {
  database = await createDatabase();
  dataSource = await new DataSource({ ...dataSourceOptions({ url: database.url }, 2), entities: [ApiKeyChange] }).initialize();
  changes = new ApiKeyChanges(dataSource.getRepository(ApiKeyChange));
  await sql("INSERT INTO users (id, username, username_folded) VALUES ($1, 'someone', 'someone')", [USER]);
  await sql("INSERT INTO api_keys (id, user_id, name, prefix, key_hash, scopes) SELECT id, $1, 'x', 'x', decode(md5(id::text), 'hex'), '{a:b}' FROM unnest($2::uuid[]) AS made (id)", [USER, KEYS]);
});
afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
});

const sql = (statement: string, values: unknown[] = []) => database.pool.query(statement, values);
const begin = async (): Promise<ChangesSeen> => (await changes.since(null)).seen;
const idsSince = async (seen: ChangesSeen) => {
  const { changed } = await changes.since(seen);
  return changed === null ? null : [...changed.apiKeyIds, ...changed.userIds].sort();
};

it('who looks for the first time knows of nothing, and then of nothing new', async () => {
  expect((await changes.since(null)).changed).toBeNull();
  expect(await idsSince(await begin())).toEqual([]);
});

it.each<[string, string, string[]]>([
  ['a key that is revoked', `UPDATE api_keys SET revoked_at = now() WHERE id = '${KEYS[0]}'`, [KEYS[0]]],
  ['a key that is revived', `UPDATE api_keys SET expires_at = NULL, retires_at = now() WHERE id = '${KEYS[0]}'`, [KEYS[0]]],
  ['keys that lose scopes', "UPDATE api_keys SET scopes = '{}'", [...KEYS]],
  ['a key that is deleted', `DELETE FROM api_keys WHERE id = '${KEYS[1]}'`, [KEYS[1]]],
  ['the keys of a user that is deleted', 'DELETE FROM users', [...KEYS]],
  ['a user that is disabled', 'UPDATE users SET disabled_at = now()', [USER]],
  ['a user that is demoted', "UPDATE users SET role = 'admin'", [USER]],
  ['nothing that is only used', 'UPDATE api_keys SET last_used_at = now()', []],
  ['nothing that is set to what it was', 'UPDATE api_keys SET scopes = scopes, revoked_at = revoked_at', []],
  ['nobody who signs in', "UPDATE users SET last_login_at = now(), name = 'Someone'", []],
])('tells of %s', async (_, statement, ids) => {
  const seen = await begin();
  await sql(statement);
  expect(await idsSince(seen)).toEqual([...ids].sort());
});

it('finds what became visible after a look, however long it had been under way', async () => {
  const late = await database.pool.connect();
  await late.query('BEGIN');
  await late.query('UPDATE users SET disabled_at = now()');
  const first = await begin();
  await sql('UPDATE api_keys SET revoked_at = now()');
  const second = await changes.since(first);
  expect([...(second.changed?.userIds ?? [])]).toEqual([]);
  await late.query('COMMIT');
  late.release();
  expect(await idsSince(second.seen)).toContain(USER);
});

it('owns up when it cannot know: numbers that went back, a look of long ago, more than can be listed', async () => {
  const seen = await begin();
  expect(await idsSince({ ...seen, next: seen.next + 1_000_000n })).toBeNull();
  expect(await idsSince({ ...seen, at: seen.at - 3_600 })).toBeNull();
  await sql('INSERT INTO api_key_changes (transaction_id, user_id, changed_at) SELECT pg_current_xact_id()::text::bigint, gen_random_uuid(), now() FROM generate_series(1, 10001)');
  expect(await idsSince(seen)).toBeNull();
});

it('is written to by whoever changes a key, whatever their search path', async () => {
  const seen = await begin();
  const client = await database.pool.connect();
  await client.query("SET search_path = ''");
  await client.query('UPDATE public.api_keys SET revoked_at = now()');
  await client.query('RESET search_path');
  client.release();
  expect(await idsSince(seen)).toEqual([...KEYS].sort());
});
