import { createHash } from 'node:crypto';
import bcrypt from 'bcrypt';
import { type Api } from './support/client.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

describe('passwords', () => {
  let suite: Suite;
  let api: Api;
  let owner: string;
  let count = 0;

  beforeAll(async () => {
    suite = await startSuite();
    api = suite.api;
    owner = (await api.login(OWNER.email, OWNER.password)).accessToken;
  });
  afterAll(() => suite.stop());

  /** A new account with this password, and the status that a login with another one gets. */
  const statusWith = async (password: string, typed: string): Promise<number> => {
    const username = `person${String(count++)}`;
    await api.createUser(owner, { username, password });
    return login(username, typed);
  };
  const login = async (username: string, password: string): Promise<number> =>
    (await api.call('POST /auth/login', { json: { username, password } })).status;
  const storedHash = async (username: string): Promise<string> => {
    const { rows } = await suite.database.pool.query<{ password_hash: string }>('SELECT password_hash FROM users WHERE username = $1', [username]);
    return rows[0]!.password_hash;
  };

  const long = 'x'.repeat(72);
  const combined = 'r\u00e9sum\u00e9 r\u00e9sum\u00e9';
  const apart = combined.normalize('NFD');

  it.each([
    ['one byte after the 72nd', `${long}a`, `${long}a`, 200],
    ['another byte after the 72nd', `${long}a`, `${long}b`, 401],
    ['nothing after the 72nd byte', `${long}a`, long, 401],
    ['more after a password of 72 bytes', long, `${long}a`, 401],
    ['multi-byte characters across the 72nd byte', `${'é'.repeat(36)}a`, `${'é'.repeat(36)}b`, 401],
    ['a NUL', 'before the nul\0after', 'before the nul\0after', 200],
    ['something else after a NUL', 'before the nul\0after', 'before the nul\0other', 401],
    ['the part before a NUL', 'before the nul\0after', 'before the nul', 401],
    ['a megabyte', 'm'.repeat(1_000_000), 'm'.repeat(1_000_000), 200],
    ['a megabyte with another end', 'm'.repeat(1_000_000), `${'m'.repeat(999_999)}n`, 401],
    ['a precomposed letter typed apart', combined, apart, 200],
    ['a letter apart typed precomposed', apart, combined, 200],
    ['a ligature and full-width letters', 'office word spacing', 'oﬃce ｗｏｒｄ spacing', 200],
    ['another letter case', 'Case matters here', 'case matters here', 401],
    ['white space around it', 'no space around', ' no space around ', 401],
    ['control characters and emoji', 'bell\u0007 and 👩‍👩‍👧 too', 'bell\u0007 and 👩‍👩‍👧 too', 200],
  ])('checks %s', async (_, password, typed, status) => {
    expect(await statusWith(password, typed)).toBe(status);
  });

  it('does not take the digest that stands for a long password for the password', async () => {
    const password = `${long} and more`;
    const digest = createHash('sha512').update(password).digest('base64');
    expect(await statusWith(password, digest)).toBe(401);
  });

  it.each(['2a', '2b', '2y'])('verifies a $%s$ hash of another system', async (version) => {
    const username = `imported${version}`;
    await api.createUser(owner, { username, password: 'to be overwritten' });
    const hash = (await bcrypt.hash('short one', 10)).replace('$2b$', `$${version}$`);
    await suite.database.pool.query('UPDATE users SET password_hash = $2 WHERE username = $1', [username, hash]);
    expect(await login(username, 'wrong one')).toBe(401);
    expect(await login(username, 'short one')).toBe(200);
  });

  it('tries an imported hash with the password as it was typed, and stores the normalised form then', async () => {
    await api.createUser(owner, { username: 'decomposed', password: 'to be overwritten' });
    await suite.database.pool.query('UPDATE users SET password_hash = $1 WHERE username = $2', [await bcrypt.hash(apart, 10), 'decomposed']);
    expect(await login('decomposed', combined)).toBe(401);
    expect(await login('decomposed', apart)).toBe(200);
    expect(await bcrypt.compare(combined, await storedHash('decomposed'))).toBe(true);
    expect(await login('decomposed', combined)).toBe(200);
  });

  it.each([
    // Made by argon2-cffi 25.1 and passlib 1.7.4 for Python.
    ['Argon2id', '$argon2id$v=19$m=19456,t=2,p=1$we7RYuf30QNlKf72Dkqftw$vtDteaCqQLdQEQwaBFRfvUgr320Ro0wbLitB+NVksiw'],
    ['scrypt', '$scrypt$ln=14,r=8,p=1$ztkbg/De+38vxfifs3ZuzQ$QJiuoX3kNC+nrBkQgFMBMYWEcIpJlZqoNane++awkJo'],
    ['PBKDF2', '$pbkdf2-sha256$100000$DaF0LgUAgFBKKQWAcI7Rmg$BA6x5UMuaogt.8yByGfzkLUn57RkGEkO0y1M4BQbjp0'],
  ])('verifies an %s hash of another system once, and has a bcrypt hash from then on', async (kind, hash) => {
    const username = `from-${kind.toLowerCase()}`;
    await api.createUser(owner, { username, password: 'to be overwritten' });
    await suite.database.pool.query('UPDATE users SET password_hash = $2 WHERE username = $1', [username, hash]);
    expect(await login(username, 'correct horse batter')).toBe(401);
    expect(await storedHash(username)).toBe(hash);
    const statuses = await Promise.all(Array.from({ length: 4 }, () => login(username, 'correct horse battery')));
    expect(statuses).toEqual([200, 200, 200, 200]);
    const renewed = await storedHash(username);
    expect(await bcrypt.compare('correct horse battery', renewed)).toBe(true);
    expect(bcrypt.getRounds(renewed)).toBe(10);
    expect(await login(username, 'correct horse battery')).toBe(200);
    expect(await storedHash(username)).toBe(renewed);
  });

  it('locks an account with such a hash like any other', async () => {
    await api.createUser(owner, { username: 'guessed', password: 'to be overwritten' });
    const hash = '$scrypt$ln=14,r=8,p=1$ztkbg/De+38vxfifs3ZuzQ$QJiuoX3kNC+nrBkQgFMBMYWEcIpJlZqoNane++awkJo';
    await suite.database.pool.query('UPDATE users SET password_hash = $1 WHERE username = $2', [hash, 'guessed']);
    const statuses = await Promise.all(Array.from({ length: 8 }, (_, guess) => login('guessed', `guess ${String(guess)}`)));
    expect(statuses.sort()).toEqual([401, 401, 401, 401, 401, 423, 423, 423]);
    expect(await login('guessed', 'correct horse battery')).toBe(423);
    expect(await storedHash('guessed')).toBe(hash);
  });

  it('verifies a hash of another system of what bcrypt read of a long password, and of all of it from then on', async () => {
    await api.createUser(owner, { username: 'long', password: 'to be overwritten' });
    // Made by libxcrypt, of 80 of these letters.
    const hash = '$2b$10$abcdefghijklmnopqrstuuhBb/0dYbuuS1CS8hp30IXhlFBW2VAWG'.replace('2b', '2a');
    await suite.database.pool.query('UPDATE users SET password_hash = $1 WHERE username = $2', [hash, 'long']);
    expect(await login('long', 'x'.repeat(71))).toBe(401);
    expect(await login('long', 'x'.repeat(80))).toBe(200);
    expect(await login('long', 'x'.repeat(81))).toBe(401);
    expect(await login('long', 'x'.repeat(80))).toBe(200);
    const words = 'a sentence that has spaces in it, which no digest has, and is longer than that';
    await suite.database.pool.query('UPDATE users SET password_hash = $1 WHERE username = $2', [await bcrypt.hash(words, 10), 'long']);
    expect(await login('long', words)).toBe(200);
    expect(await login('long', `${words}.`)).toBe(401);
  });

  it('makes nothing of a stored hash that is none', async () => {
    await api.createUser(owner, { username: 'broken', password: 'to be overwritten' });
    for (const hash of ['', 'plain text', '$2b$10$short', '$argon2id$v=19$m=9999999999,t=1,p=1$c29tZXNhbHQ$short', null]) {
      await suite.database.pool.query('UPDATE users SET password_hash = $1 WHERE username = $2', [hash, 'broken']);
      for (const typed of ['plain text', '$2b$10$short', 'null']) expect(await login('broken', typed)).toBe(401);
      await suite.database.pool.query(`DELETE FROM login_attempts WHERE user_id IS NOT NULL`);
    }
  });

  describe('when BCRYPT_COST rises', () => {
    let costlier: Api;

    beforeAll(async () => {
      costlier = await suite.startAnother({ BCRYPT_COST: '11' });
    });

    it('hashes again at the next right login, and only then', async () => {
      await api.createUser(owner, { username: 'older', password: 'older than the cost' });
      await costlier.call('POST /auth/login', { json: { username: 'older', password: 'wrong' } });
      expect(bcrypt.getRounds(await storedHash('older'))).toBe(10);
      await costlier.login('older', 'older than the cost');
      const renewed = await storedHash('older');
      expect(bcrypt.getRounds(renewed)).toBe(11);
      await costlier.login('older', 'older than the cost');
      expect(await storedHash('older')).toBe(renewed);
      // A server that still has the lower cost leaves it alone.
      await api.login('older', 'older than the cost');
      expect(await storedHash('older')).toBe(renewed);
    });

    it('lets every one of many logins at once in, on either server', async () => {
      await api.createUser(owner, { username: 'popular', password: 'many people at once' });
      const statuses = await Promise.all(Array.from({ length: 16 }, async (_, index) => {
        const server = index % 2 === 0 ? api : costlier;
        return (await server.call('POST /auth/login', { json: { username: 'popular', password: 'many people at once' } })).status;
      }));
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(bcrypt.getRounds(await storedHash('popular'))).toBe(11);
    });
  });
});
