import { KeyObject } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import type { Settings } from '../src/config/index.js';
import { AccessTokensService } from '../src/sessions/access-tokens.service.js';
import { jwtOptions, verificationOptions } from '../src/sessions/jwt-options.js';
import { SigningKeys } from '../src/sessions/signing-keys.js';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the very object that JwtService calls
const jsonwebtoken = require('jsonwebtoken') as { sign: (...args: unknown[]) => string };

const settings = { jwtIssuer: 'gatehouse', jwtAudience: 'gatehouse' } as Settings;
const SECRET = 'a secret for signing, long enough to be one '.repeat(2);

describe('signing keys', () => {
  const keys = new SigningKeys(SECRET, `previous ${SECRET}`);

  // With a string or a Buffer jsonwebtoken makes a key anew each time: forty times slower, and nothing else would tell.
  it('reach the signer as a KeyObject and nothing else', () => {
    const sign = jest.spyOn(jsonwebtoken, 'sign');
    new AccessTokensService(new JwtService(jwtOptions(keys)), keys, settings).issue('user', 'session', 60);
    expect(sign).toHaveBeenCalledTimes(1);
    expect(sign.mock.calls[0]?.[1]).toBeInstanceOf(KeyObject);
    expect(sign.mock.calls[0]?.[2]).toMatchObject({ algorithm: 'HS256' });
    sign.mockRestore();
  });

  it('reach the verifier as KeyObjects, one made once for each secret', () => {
    expect(keys.jwtKeyFor(undefined)).toBeInstanceOf(KeyObject);
    expect(keys.jwtKeyFor(keys.keyId)).toBe(keys.jwtKeyFor(undefined));
    const previous = new SigningKeys(`previous ${SECRET}`);
    expect(keys.jwtKeyFor(previous.keyId)).toBeInstanceOf(KeyObject);
    expect(keys.jwtKeyFor(previous.keyId)).not.toBe(keys.jwtKeyFor(keys.keyId));
    expect(keys.jwtKeyFor(previous.keyId)).toBe(keys.jwtKeyFor(previous.keyId));
  });

  it.each(['', 'unknown', null, 7, {}, []])('are not found by a kid of %j', (kid) => {
    expect(keys.jwtKeyFor(kid)).toBeNull();
  });

  it('pin what a verifier accepts', () => {
    expect(verificationOptions(settings)).toEqual({ algorithms: ['HS256'], issuer: 'gatehouse', audience: 'gatehouse' });
  });
});
