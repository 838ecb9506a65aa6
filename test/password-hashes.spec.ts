import { loadSettings } from '../src/config/index.js';
import { Metrics } from '../src/metrics/index.js';
import { PasswordHasher } from '../src/users/password-hasher.js';
import { readArgon2 } from '../src/users/password-hashes/argon2-hash.js';
import { findHashFault } from '../src/users/password-hashes/index.js';
import { type ForeignHash, readForeignHash } from '../src/users/password-hashes/foreign-hash.js';

/** Base64 without padding, of hexadecimal digits or of text. */
function b64(bytes: { hex: string } | string): string {
  return Buffer.from(typeof bytes === 'string' ? bytes : Buffer.from(bytes.hex, 'hex')).toString('base64').replace(/=+$/, '');
}

/** A hash that must be one that can be verified. */
function read(text: string): ForeignHash {
  const hash = readForeignHash(text);
  if (hash === null || 'fault' in hash) throw new Error(hash?.fault ?? 'is of no kind that is known');
  return hash;
}

const SALT = b64('0123456789abcdef');
const HASH = b64('0123456789abcdef0123456789abcdef');

describe('a hash of another system', () => {
  /**
   * From the standards, and from other implementations: the test vectors of the reference implementation of Argon2
   * (phc-winner-argon2, test.c), RFC 7914 §12, RFC 6070; argon2-cffi 25.1 and passlib 1.7.4 for Python.
   */
  it.each([
    ['the reference implementation of Argon2id', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc', 'password'],
    ['argon2-cffi, Argon2id', '$argon2id$v=19$m=19456,t=2,p=1$we7RYuf30QNlKf72Dkqftw$vtDteaCqQLdQEQwaBFRfvUgr320Ro0wbLitB+NVksiw', 'correct horse battery'],
    ['argon2-cffi, Argon2i of version 16', '$argon2i$v=16$m=4096,t=3,p=2$c29tZXNhbHQxMjM0$F8dB9G4Gy6mNlCCAQ1y0khhstu/CIW/s', 'correct horse battery'],
    ['the same without its version', '$argon2i$m=4096,t=3,p=2$c29tZXNhbHQxMjM0$F8dB9G4Gy6mNlCCAQ1y0khhstu/CIW/s', 'correct horse battery'],
    [
      'RFC 7914 §12',
      `$scrypt$ln=14,r=8,p=1$${b64('SodiumChloride')}$${b64({ hex: '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887' })}`,
      'pleaseletmein',
    ],
    ['passlib, scrypt', '$scrypt$ln=14,r=8,p=1$ztkbg/De+38vxfifs3ZuzQ$QJiuoX3kNC+nrBkQgFMBMYWEcIpJlZqoNane++awkJo', 'correct horse battery'],
    [
      'RFC 6070',
      `$pbkdf2-sha1$i=4096$${b64('saltSALTsaltSALTsaltSALTsaltSALTsalt')}$${b64({ hex: '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038' })}`,
      'passwordPASSWORDpassword',
    ],
    ['passlib, PBKDF2 with SHA-1', '$pbkdf2$100000$WyslxFgL4XyPkZJy7p1T6g$DZW/0EHdjI/9X0NAcvCVPyreD8M', 'correct horse battery'],
    ['passlib, PBKDF2 with SHA-256', '$pbkdf2-sha256$100000$DaF0LgUAgFBKKQWAcI7Rmg$BA6x5UMuaogt.8yByGfzkLUn57RkGEkO0y1M4BQbjp0', 'correct horse battery'],
    ['the same as a PHC string', '$pbkdf2-sha256$i=100000,l=32$DaF0LgUAgFBKKQWAcI7Rmg$BA6x5UMuaogt+8yByGfzkLUn57RkGEkO0y1M4BQbjp0', 'correct horse battery'],
    ['passlib, PBKDF2 with SHA-512', '$pbkdf2-sha512$25000$KgVAKOW8935vrZUSIoQwRg$uzfhHG2S6moj0rH9MFc/v9y79pE32SSXnm8cFIrHTGFkQX2/XHGNwpOQm5KG8eL2mw.EppR2s26dOgzZsk3wVg', 'correct horse battery'],
  ])('verifies: %s', async (_, text, password) => {
    expect(findHashFault(text)).toBeNull();
    const hash = read(text);
    expect(await hash.verify(password)).toBe(true);
    expect(await hash.verify(`${password}x`)).toBe(false);
    expect(await hash.verify('')).toBe(false);
  });

  it.each([
    ['more memory than a login may take', `$argon2id$v=19$m=131073,t=1,p=1$${SALT}$${HASH}`, 'has m=131073, and 8 to 131072 is accepted'],
    ['2 GiB', `$argon2id$v=19$m=2097152,t=1,p=4$${SALT}$${HASH}`, 'has m=2097152, and 8 to 131072 is accepted'],
    ['a number beyond any', `$argon2id$v=19$m=99999999999,t=1,p=1$${SALT}$${HASH}`, 'is no well-formed Argon2 hash'],
    ['more passes than there is time for', `$argon2id$v=19$m=131072,t=9,p=1$${SALT}$${HASH}`, 'takes too long: m×t=1179648, and up to 1048576 is accepted'],
    ['no pass at all', `$argon2id$v=19$m=64,t=0,p=1$${SALT}$${HASH}`, 'has t=0, and 1 to 64 is accepted'],
    ['a thread for everybody', `$argon2id$v=19$m=65536,t=1,p=255$${SALT}$${HASH}`, 'has p=255, and 1 to 16 is accepted'],
    ['lanes without memory', `$argon2id$v=19$m=8,t=1,p=16$${SALT}$${HASH}`, 'has less memory than its lanes need (RFC 9106 §3.1)'],
    ['another version', `$argon2id$v=20$m=64,t=1,p=1$${SALT}$${HASH}`, 'is of a version of Argon2 that is not known: 20'],
    ['a secret key beside it', `$argon2id$v=19$m=64,t=1,p=1,keyid=1$${SALT}$${HASH}`, 'has a parameter that is not known: keyid'],
    ['a parameter twice', `$argon2id$v=19$m=64,m=65,t=1,p=1$${SALT}$${HASH}`, 'is no well-formed Argon2 hash'],
    ['a number with a leading zero', `$argon2id$v=19$m=064,t=1,p=1$${SALT}$${HASH}`, 'is no well-formed Argon2 hash'],
    ['a version with a leading zero', `$argon2id$v=019$m=64,t=1,p=1$${SALT}$${HASH}`, 'is no well-formed Argon2 hash'],
    ['bits to spare in its salt', `$argon2id$v=19$m=64,t=1,p=1$${SALT.slice(0, -1)}h$${HASH}`, 'is no well-formed Argon2 hash'],
    ['a character to spare in its hash', `$argon2id$v=19$m=64,t=1,p=1$${SALT}$${HASH}AA`, 'is no well-formed Argon2 hash'],
    ['PBKDF2 with a leading zero', `$pbkdf2-sha256$01000$${SALT}$${HASH}`, 'is no well-formed PBKDF2 hash'],
    ['too short a hash to be none by chance', `$argon2id$v=19$m=64,t=1,p=1$${SALT}$${b64('12345678')}`, 'is 8 bytes long, and 16 to 64 are accepted'],
    ['an endless hash', `$argon2id$v=19$m=64,t=1,p=1$${SALT}$${'A'.repeat(256)}`, 'is 192 bytes long, and 16 to 64 are accepted'],
    ['hardly any salt', `$argon2id$v=19$m=64,t=1,p=1$${b64('salt')}$${HASH}`, 'has a salt of 4 bytes, and 8 to 64 are accepted'],
    ['scrypt beyond the memory', `$scrypt$ln=18,r=8,p=1$${SALT}$${HASH}`, 'needs 256 MiB of memory, and up to 128 are accepted'],
    ['scrypt beyond the time', `$scrypt$ln=17,r=8,p=5$${SALT}$${HASH}`, 'takes too long: 5 times 128 MiB, and 512 together are accepted'],
    ['scrypt with an impossible N', `$scrypt$ln=31,r=8,p=1$${SALT}$${HASH}`, 'has ln=31, and 1 to 20 is accepted'],
    ['scrypt with an N beyond its r', `$scrypt$ln=16,r=1,p=1$${SALT}$${HASH}`, 'has a greater N than its r allows (RFC 7914 §2)'],
    ['scrypt without p', `$scrypt$ln=14,r=8$${SALT}$${HASH}`, 'lacks the parameter p'],
    ['PBKDF2 for minutes', `$pbkdf2-sha256$i=2000001$${SALT}$${HASH}`, 'has i=2000001, and 1 to 2000000 is accepted'],
    ['PBKDF2 of several blocks for minutes', `$pbkdf2-sha1$i=500001$${SALT}$${'A'.repeat(86)}`, 'takes too long: 500001 iterations for each of 4 blocks, and 2000000 together are accepted'],
    ['PBKDF2 with MD5', `$pbkdf2-md5$i=1000$${SALT}$${HASH}`, 'is a PBKDF2 hash by a digest that is not known; sha1, sha256 and sha512 are'],
    ['PBKDF2 of another length', `$pbkdf2-sha256$i=1000,l=64$${SALT}$${HASH}`, 'is not as long as it says'],
    ['bcrypt for days', `$2b$31$${'a'.repeat(53)}`, 'has the cost 31, and 4 to 15 are accepted'],
    ['bcrypt at no cost', `$2b$03$${'a'.repeat(53)}`, 'has the cost 03, and 4 to 15 are accepted'],
    ['a bcrypt hash that was cut', `$2b$10$${'a'.repeat(52)}`, 'is no well-formed bcrypt hash'],
    ['the broken version of bcrypt', `$2x$10$${'a'.repeat(53)}`, 'is no well-formed bcrypt hash'],
    ['a password', 'changeme', 'is no hash of a kind that is known: bcrypt, or Argon2, scrypt or PBKDF2 as a PHC string'],
    ['a bare MD5', '5f4dcc3b5aa765d61d8327deb882cf99', 'is no hash of a kind that is known: bcrypt, or Argon2, scrypt or PBKDF2 as a PHC string'],
    ['nothing', '', 'is no hash of a kind that is known: bcrypt, or Argon2, scrypt or PBKDF2 as a PHC string'],
  ])('is refused with %s', (_, text, fault) => {
    expect(findHashFault(text)).toBe(fault);
  });

  it('is refused without being repeated', () => {
    for (const text of [`$argon2id$v=19$m=1,t=1,p=1$${SALT}$${HASH}`, `$2b$99$${'a'.repeat(53)}`, 'secret password']) {
      const fault = findHashFault(text) ?? '';
      for (const part of text.split('$').filter((one) => one.length > 15)) expect(fault).not.toContain(part);
    }
  });

  it('never makes a login fail where it is accepted, at the edges of what is', async () => {
    const parameters = [
      ...['i', 'd', 'id'].flatMap((kind) => ['m=8,t=1,p=1', 'm=128,t=1,p=16', 'm=8,t=64,p=1', 'p=1,t=1,m=8'].map((one) => `argon2${kind}$v=19$${one}`)),
      'scrypt$ln=1,r=1,p=1', 'scrypt$ln=15,r=1,p=1', 'scrypt$ln=1,r=32,p=16', 'scrypt$ln=16,r=2,p=1', 'pbkdf2$1', 'pbkdf2-sha512$i=1',
    ];
    for (const one of parameters) {
      for (const [salt, length] of [[8, 16], [47, 33], [64, 64]] as const) {
        const hash = read(`$${one}$${b64('s'.repeat(salt))}$${b64('h'.repeat(length))}`);
        for (const password of ['', 'pass\0word', '\ud800', 'x'.repeat(5000)]) expect(await hash.verify(password)).toBe(false);
      }
    }
  });

  it('is as costly as it may be at most, and still verified', async () => {
    const hash = readArgon2(`$argon2id$v=19$m=131072,t=1,p=16$${SALT}$${HASH}`);
    if ('fault' in hash) throw new Error(hash.fault);
    expect(await hash.verify('password')).toBe(false);
    expect(await read(`$scrypt$ln=17,r=8,p=4$${SALT}$${HASH}`).verify('password')).toBe(false);
    expect(findHashFault(`$pbkdf2-sha1$i=500000$${SALT}$${'A'.repeat(86)}`)).toBeNull();
    expect(findHashFault(`$pbkdf2-sha512$i=2000000$${SALT}$${'A'.repeat(86)}`)).toBeNull();
  });
});

describe('a password of more bytes than bcrypt reads, compared with a hash of another system', () => {
  const long = 'x'.repeat(80);
  const metrics = new Metrics();
  const hasher = new PasswordHasher(loadSettings({ env: { BCRYPT_COST: '10' } }), metrics);
  const verified = async (): Promise<number> => Number(/^gatehouse_password_hash_duration_seconds_count (\d+)$/m.exec(await metrics.scrape())?.[1]);

  it('is verified once, as it is the same whole, and twice where it was typed in another form', async () => {
    for (const [password, times] of [[long, 1], ['short', 1], [`\ufb03 ${long}`, 2], ['\ufb03', 2], [`\ufb03 ${long}\0`, 1]] as const) {
      const before = await verified();
      expect(await hasher.compare(password, `$pbkdf2-sha256$i=1$${SALT}$${HASH}`)).toEqual({ matches: false, outdated: true });
      expect([password, await verified() - before]).toEqual([password, times]);
    }
  });
});
