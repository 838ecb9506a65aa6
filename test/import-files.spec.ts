import { Readable } from 'node:stream';
import type { SourceRecord } from '../src/transfer/source-record.js';
import { sourceRecords } from '../src/transfer/source-records.js';
import { RecordFields } from '../src/transfer/record-fields.js';
import { faultOfUserColumns, readUser, unusedUserColumns } from '../src/transfer/user-rows.js';
import { USER_SOURCES, type UserSourceName } from '../src/transfer/user-sources.js';

/** A file that comes in pieces of so many bytes. */
function inPieces(content: string | Buffer, bytes = 7): Readable {
  const all = Buffer.from(content as string);
  return Readable.from(Array.from({ length: Math.ceil(all.length / bytes) }, (_, index) => all.subarray(index * bytes, (index + 1) * bytes)));
}

type Check = (columns: readonly string[]) => string | null;

async function read(content: string | Buffer, { bytes, check = () => null }: { bytes?: number; check?: Check } = {}): Promise<SourceRecord[]> {
  const records: SourceRecord[] = [];
  for await (const record of sourceRecords(inPieces(content, bytes), null, check)) records.push(record);
  return records;
}

/** What of a record is compared: its line, and its values or what is wrong with it. */
function seen({ line, values, fault }: SourceRecord): [number, unknown] {
  return [line, values === null ? fault : Object.fromEntries(values)];
}

describe('a file', () => {
  it.each([1, 3, 1_000])('of CSV is read record by record, in pieces of %s bytes', async (bytes) => {
    const content = '\ufeffid,name\r\n1,"one, ""quoted"""\r\n\r\n2,"of two\nlines"\r\n 3 , käse \r\n4\r\n5,💶,\r\n';
    expect((await read(content, { bytes })).map(seen)).toEqual([
      [2, { id: '1', name: 'one, "quoted"' }],
      [4, { id: '2', name: 'of two\nlines' }],
      [6, { id: '3', name: 'käse' }],
      [7, 'has 1 values, and the first line names 2 columns'],
      [8, 'has 3 values, and the first line names 2 columns'],
    ]);
  });

  it.each([1, 3, 1_000])('of JSON lines is read line by line, in pieces of %s bytes', async (bytes) => {
    const content = '\ufeff\n {"id":1,"name":"käse 💶"}\r\n\n[2]\nnull\n{"secret\n{"__proto__":{"role":"owner"}}';
    const records = await read(content, { bytes });
    expect(records.slice(0, 4).map(seen)).toEqual([
      [2, { id: 1, name: 'käse 💶' }],
      [4, 'is not a JSON object'],
      [5, 'is not a JSON object'],
      [6, 'is not JSON'],
    ]);
    expect(new RecordFields(records[4]!.values!).raw(['role'])).toBeNull();
  });

  it.each([
    ['nothing', '', 'The file is empty.'],
    ['white space', '\n \n', 'The file is empty.'],
    ['one JSON array', ' [{"email":"a@example.com"}]', "This is one JSON array, not JSON lines: jq -c '.[]' makes these of it."],
    ['other columns', 'mail,password_hash\na@example.com,x\n', 'The first line must name the columns: there is none of email, username, login.'],
    ['no passwords', 'email,name\na@example.com,x\n', 'The first line must name the columns: there is none of password_hash, hashed_password, password (leave it empty for accounts without a password).'],
    ['a column twice', 'email,Email,password\na,b,c\n', 'The first line must name the columns: "Email" is there twice.'],
    ['an open quote', 'email,password_hash\n"a@example.com,hunter2\n', 'Line 2 has a quote that is not closed before the end of the file: the file cannot be read any further.'],
    ['a quote in the middle', 'email,password_hash\na"b@example.com,hunter2\n', 'Line 2 has a quote in the middle of a value that is not quoted: the file cannot be read any further.'],
    ['something after a quote', 'email,password_hash\n"a@example.com"hunter2,x\n', 'Line 2 has something after a closing quote: the file cannot be read any further.'],
    ['an endless value', `email,password_hash\n"${'x'.repeat(300_000)}`, 'Line 2 is longer than any record can be: perhaps a quote before it is not closed: the file cannot be read any further.'],
    ['an endless line', `{"email":"${'x'.repeat(300_000)}`, 'Line 1 is longer than any record can be.'],
    ['something other than UTF-8', Buffer.from('email,password\nJürgen,x', 'latin1'), 'The file is not UTF-8 text: convert it first, for example with iconv.'],
  ])('with %s is refused, in words that repeat nothing of it', async (_, content, message) => {
    const check: Check = (columns) => faultOfUserColumns(USER_SOURCES.generic, columns);
    await expect(read(content, { bytes: 65_536, check })).rejects.toMatchObject({ name: 'TransferError', message });
  });
});

describe('a field', () => {
  const fields = (value: unknown): RecordFields => new RecordFields(new Map([['At', value]]));

  it.each([
    ['2024-01-15', '2024-01-15T00:00:00.000Z'],
    ['2024-01-15 10:30:00', '2024-01-15T10:30:00.000Z'],
    ['2024-01-15 10:30', '2024-01-15T10:30:00.000Z'],
    ['2024-01-15 10:30:00.123456+00', '2024-01-15T10:30:00.123Z'],
    ['2024-01-15T10:30:00+02:00', '2024-01-15T08:30:00.000Z'],
    ['2024-01-15T10:30:00-0330', '2024-01-15T14:00:00.000Z'],
    ['2024-02-29T10:30:00Z', '2024-02-29T10:30:00.000Z'],
    ['2024-01-15 10:30:00 UTC', '2024-01-15T10:30:00.000Z'],
    [1_705_314_600, '2024-01-15T10:30:00.000Z'],
    [1_705_314_600_123, '2024-01-15T10:30:00.123Z'],
    ['1705314600', '2024-01-15T10:30:00.000Z'],
  ])('with %p is a time', (value, time) => {
    expect(fields(value).time(['at'])?.toISOString()).toBe(time);
  });

  it.each(['2023-02-29', '2024-02-31 00:00:00', '2024-13-01', '2024-01-15 25:00', '24:00', '15.01.2024', 'yesterday', '1969-12-31', '0', {}, [], true, NaN, Infinity, -1])(
    'with %p is no time', (value) => {
      const one = fields(value);
      expect(one.time(['at'])).toBeNull();
      expect(one.faults).toEqual([{ field: 'At', reason: 'must be a time, such as 2024-01-31T12:00:00Z' }]);
    });

  it.each([[true, true], ['t', true], ['True', true], ['yes', true], [1, true], ['1', true], [false, false], ['F', false], ['0', false], ['NO', false], ['', null], [null, null]])(
    'with %p is %p', (value, flag) => {
      expect(fields(value).flag(['at'])).toBe(flag);
    });

  it.each(['on and off', 2, {}, ['true']])('with %p is neither yes nor no', (value) => {
    const one = fields(value);
    expect(one.flag(['at'])).toBeNull();
    expect(one.faults).toHaveLength(1);
  });
});

describe('an account in the table of', () => {
  const HASH = '$2y$10$abcdefghijklmnopqrstuuCj7fyLDJytXL.TfOiOeiv0fQvSOK1/2';
  const ID = 'A987FBC9-4BED-4078-8F07-9141BA07C9F3';
  const NOW = new Date('2030-01-01T00:00:00Z');
  const rules = (source: UserSourceName) => ({ source: USER_SOURCES[source], defaultRole: 'member', allowOwners: true, now: NOW }) as const;
  const COMMON = { id: ID, created_at: '2024-01-15 10:30:00', updated_at: '2024-02-15 10:30:00' };
  const TIMES = { created_at: new Date('2024-01-15T10:30:00Z'), updated_at: new Date('2024-02-15T10:30:00Z') };

  it.each<[UserSourceName, object, object]>([
    ['mosbot', { email: 'A@example.com', name: 'A', password_hash: HASH, role: 'user', active: 'f', avatar_url: '/a.png' }, {
      email: 'A@example.com', email_folded: 'a@example.com', name: 'A', role: 'member', picture_url: '/a.png', disabled_at: TIMES.updated_at,
    }],
    ['mosbot', { email: 'a@example.com', password_hash: HASH, role: 'owner', active: true }, { role: 'owner', disabled_at: null }],
    ['os-trading-engine', { email: 'a@example.com', password_hash: HASH, lastLoginAt: '2024-01-15' }, { role: 'member', last_login_at: new Date('2024-01-15') }],
    ['osmedeus', { username: 'Osm', password: HASH, email: 'not@looked.at' }, { email: null, username: 'Osm', username_folded: 'osm', identifier: 'osm' }],
    ['asyncat', { email: 'admin@local', name: null, password_hash: HASH, profile_picture: null }, { email: 'admin@local', name: null, picture_url: null }],
    ['chatops', { email: 'a@example.com', username: 'a', full_name: 'A', hashed_password: HASH, is_active: false }, { name: 'A', identifier: 'a@example.com', disabled_at: TIMES.updated_at }],
    ['generic', { login: 'a', displayName: 'A', passwordHash: HASH, role: 'admin', disabledAt: '2024-03-01' }, { username: 'a', name: 'A', role: 'admin', disabled_at: new Date('2024-03-01') }],
  ])('%s is read as it is meant', (source, values, expected) => {
    expect(readUser(7, new Map(Object.entries({ ...COMMON, ...values })), rules(source))).toMatchObject({
      line: 7, id: ID.toLowerCase(), given_id: ID.toLowerCase(), password_hash: HASH, ...TIMES, ...expected,
    });
  });

  it.each<[string, unknown]>([['email', 'a b@example.com'], ['email', ['a@example.com']], ['role', 'superuser'], ['role', '__proto__'], ['avatar_url', 'javascript:alert(1)'], ['password_hash', 'x'.repeat(600)], ['name', 'a\u0000b']])(
    'mosbot is refused with %s %p', (field, value) => {
      const account = { email: 'a@example.com', name: 'A', password_hash: HASH, role: 'user', [field]: value };
      expect(readUser(1, new Map(Object.entries(account)), rules('mosbot'))).toMatchObject([{ field }]);
    });

  it('a product has columns that nothing is made of', () => {
    expect(unusedUserColumns(USER_SOURCES['os-trading-engine'], ['id', 'Email', 'passwordHash', 'locked_until'])).toEqual(['locked_until']);
  });
});
