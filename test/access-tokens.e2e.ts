import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { request } from 'node:http';
import { type Api, eventually } from './support/client.js';
import { TEST_JWT_SECRET } from './support/gatehouse.js';
import { decodeJwt, forgeJwt } from './support/jwt.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const INVALID = 'Bearer realm="gatehouse", error="invalid_token"';
const BARE = 'Bearer realm="gatehouse"';
type Fields = Record<string, unknown>;

describe('access tokens', () => {
  let suite: Suite;
  let api: Api;
  let token: string;
  let header: Fields;
  let claims: Fields;

  beforeAll(async () => {
    suite = await startSuite();
    api = suite.api;
    token = (await api.login(OWNER.email, OWNER.password)).accessToken;
    ({ header, claims } = decodeJwt(token));
  });
  afterAll(() => suite.stop());

  const expectInvalid = async (bad: string) => {
    const { status, headers, body } = await api.call('GET /auth/me', { token: bad });
    expect({ status, challenge: headers.get('www-authenticate'), code: body.code }).toEqual({ status: 401, challenge: INVALID, code: 'invalid_token' });
  };
  const without = (...names: string[]): Fields => Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));
  const now = (): number => Math.floor(Date.now() / 1000);

  it('carry the registered claims, and nothing personal', () => {
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT', kid: expect.stringMatching(/^[\w-]{12}$/) });
    expect(claims).toEqual({
      iss: 'gatehouse', aud: 'gatehouse', sub: expect.any(String), sid: expect.any(String), jti: expect.any(String),
      iat: expect.any(Number), exp: Number(claims['iat']) + 900,
    });
  });

  it('are accepted when they are signed with the right key: what is forged below differs in one thing', async () => {
    for (const good of [forgeJwt(header, claims), forgeJwt({ alg: 'HS256' }, { ...claims, extra: 1 })]) {
      expect((await api.call('GET /auth/me', { token: good })).status).toBe(200);
    }
  });

  it.each<[string, () => unknown]>([
    ['alg none', () => ({ ...header, alg: 'none' })],
    ['alg NoNe', () => ({ ...header, alg: 'NoNe' })],
    ['alg missing', () => ({ typ: 'JWT' })],
    ['alg null', () => ({ ...header, alg: null })],
    ['alg hs256', () => ({ ...header, alg: 'hs256' })],
    ['an array for alg', () => ({ ...header, alg: ['HS256'] })],
    ['RS256 over an HMAC', () => ({ ...header, alg: 'RS256' })],
    ['an unknown kid', () => ({ ...header, kid: 'ffffffffffff' })],
    ['an object for kid', () => ({ ...header, kid: { $ne: '' } })],
    ['null for kid', () => ({ ...header, kid: null })],
    ['a path for kid', () => ({ ...header, kid: '../../dev/null' })],
    ['a header that is null', () => null],
    ['a header that is a list', () => [header]],
  ])('are refused with %s', async (_, forged) => {
    const signed = forgeJwt(forged(), claims);
    await expectInvalid(signed);
    await expectInvalid(signed.slice(0, signed.lastIndexOf('.') + 1));
  });

  it.each([['HS384', 'sha384'], ['HS512', 'sha512']])('are refused when signed with %s by the right key', async (alg, hash) => {
    await expectInvalid(forgeJwt({ ...header, alg }, claims, { hash }));
    await expectInvalid(forgeJwt(header, claims, { hash }));
  });

  it('are refused when signed with a key of the attacker, wherever it is named', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' });
    const unsigned = forgeJwt({ alg: 'RS256', jwk, jku: 'http://127.0.0.1/keys', x5u: 'http://127.0.0.1/cert' }, claims).split('.').slice(0, 2).join('.');
    await expectInvalid(`${unsigned}.${sign('sha256', Buffer.from(unsigned), privateKey).toString('base64url')}`);
    await expectInvalid(forgeJwt(header, claims, { secret: publicKey.export({ format: 'pem', type: 'spki' }) as string }));
    await expectInvalid(forgeJwt(header, claims, { secret: ' ' }));
    await expectInvalid(forgeJwt(header, claims, { secret: TEST_JWT_SECRET.toLowerCase() }));
  });

  it.each<[string, () => unknown]>([
    ['another iss', () => ({ ...claims, iss: 'elsewhere' })],
    ['no iss', () => without('iss')],
    ['another aud', () => ({ ...claims, aud: 'elsewhere' })],
    ['a list of other audiences', () => ({ ...claims, aud: ['elsewhere', 'gatehouse2'] })],
    ['no aud', () => without('aud')],
    ['no exp', () => without('exp')],
    ['an exp that has passed', () => ({ ...claims, exp: now() - 1 })],
    ['text for exp', () => ({ ...claims, exp: '9999999999' })],
    ['null for exp', () => ({ ...claims, exp: null })],
    ['an nbf to come', () => ({ ...claims, nbf: now() + 600 })],
    ['no iat', () => ({ ...without('iat'), iat: null })],
    ['no sub', () => without('sub')],
    ['the sub of somebody else', () => ({ ...claims, sub: randomUUID() })],
    ['a list for sub', () => ({ ...claims, sub: [claims['sub']] })],
    ['no sid', () => without('sid')],
    ['a sid that there never was', () => ({ ...claims, sid: randomUUID() })],
    ['a sid that is no UUID', () => ({ ...claims, sid: "' OR 1=1" })],
    ['a list for sid', () => ({ ...claims, sid: [claims['sid']] })],
    ['no jti', () => without('jti')],
    ['an empty jti', () => ({ ...claims, jti: '' })],
    ['no claims at all', () => ({})],
    ['null for claims', () => null],
    ['text for claims', () => 'owner'],
  ])('are refused with %s', async (_, forged) => {
    await expectInvalid(forgeJwt(header, forged()));
  });

  it('are refused when a part was altered', async () => {
    const [head = '', payload = '', mac = ''] = token.split('.');
    const write = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const last = mac.charCodeAt(mac.length - 1);
    const altered = [
      `${head}.${write({ ...claims, exp: now() + 9_999_999 })}.${mac}`,
      `${write({ ...header, x: 1 })}.${payload}.${mac}`,
      `${head}.${payload}.${mac.slice(0, -1)}${String.fromCharCode(last === 122 ? 121 : last + 1)}`,
      `${head}.${payload}.${mac.slice(1)}`, `${head}.${payload}.`, `${head}.${payload}`, `${head}..${mac}`, `.${payload}.${mac}`,
      `${token}.${mac}`, `${token}=`, 'x', '..', '...', 'null', 'e30.e30.e30', 'a'.repeat(10_000),
    ];
    for (const bad of altered) await expectInvalid(bad);
    expect((await api.call('GET /auth/me', { token })).status).toBe(200);
  });

  it('are refused from the second on that they expire, also when they were verified before', async () => {
    const short = forgeJwt(header, { ...claims, exp: now() + 2 });
    expect((await api.call('GET /auth/me', { token: short })).status).toBe(200);
    await eventually(() => expectInvalid(short));
  });

  /** One request with headers as they are, also twice the same one. */
  const raw = (headers: string[]): Promise<{ status: number | undefined; challenge: string | undefined }> =>
    new Promise((resolve, reject) => {
      const { host } = new URL(suite.gatehouse.url);
      request(`${suite.gatehouse.api}/auth/me`, { headers: ['Host', host, ...headers] as never }, (answer) => {
        answer.resume().on('end', () => { resolve({ status: answer.statusCode, challenge: answer.headers['www-authenticate'] }); });
      }).on('error', reject).end();
    });

  it.each<[string, () => string[], number, string | undefined]>([
    ['no header', () => [], 401, BARE],
    ['an empty header', () => ['Authorization', ''], 401, BARE],
    ['the scheme alone', () => ['Authorization', 'Bearer'], 401, BARE],
    ['the scheme and a space', () => ['Authorization', 'Bearer '], 401, BARE],
    ['the token alone', () => ['Authorization', token], 401, BARE],
    ['no space', () => ['Authorization', `Bearer${token}`], 401, BARE],
    ['another scheme', () => ['Authorization', `Basic ${Buffer.from(`${OWNER.email}:${OWNER.password}`).toString('base64')}`], 401, BARE],
    ['lower case', () => ['authorization', `bearer ${token}`], 200, undefined],
    ['upper case', () => ['AUTHORIZATION', `BEARER ${token}`], 200, undefined],
    ['several spaces', () => ['Authorization', `Bearer   ${token}`], 200, undefined],
    ['a tab', () => ['Authorization', `Bearer\t${token}`], 401, BARE],
    ['two tokens', () => ['Authorization', `Bearer ${token} ${token}`], 401, INVALID],
    ['two values in one header', () => ['Authorization', `Bearer ${token}, Bearer ${token}`], 401, INVALID],
    ['a good and a bad header', () => ['Authorization', `Bearer ${token}`, 'Authorization', 'Bearer x'], 401, INVALID],
    ['the same header twice', () => ['Authorization', `Bearer ${token}`, 'authorization', `Bearer ${token}`], 401, INVALID],
    ['the token in a cookie', () => ['Cookie', `access_token=${token}; Authorization=Bearer ${token}`], 401, BARE],
    ['a bad API key beside a good token', () => ['Authorization', `Bearer ${token}`, 'X-API-Key', 'x'], 401, INVALID],
  ])('are read from the header as RFC 6750 has it: %s', async (_, headers, status, challenge) => {
    expect(await raw(headers())).toEqual({ status, challenge });
  });

  it('count as none where the header is empty, which another scheme is not', async () => {
    const problemTo = async (headers: Record<string, string>) => (await api.call('GET /auth/me', { headers })).body;
    const without = await problemTo({});
    expect(await problemTo({ authorization: '' })).toEqual({ ...without, requestId: expect.any(String) as string });
    expect(await problemTo({ authorization: 'Basic eDp5' })).toMatchObject({ status: 401, code: 'missing_credential', detail: 'Send Authorization: Bearer <token>.' });
    expect(await problemTo({ authorization: '', 'x-api-key': '' })).toMatchObject({ status: 401, code: 'invalid_api_key' });
  });

  it('are not read from the query string or a body', async () => {
    const query = await api.call(`GET /auth/me?access_token=${token}&token=${token}`);
    expect([query.status, query.headers.get('www-authenticate')]).toEqual([401, BARE]);
    const body = await api.call('PATCH /auth/me', { json: { access_token: token } });
    expect([body.status, body.headers.get('www-authenticate')]).toEqual([401, BARE]);
  });

  it('are ignored on public routes, however bad', async () => {
    expect((await api.call('GET /auth/status', { token: 'x' })).status).toBe(200);
    const { status } = await api.call('POST /auth/login', { token: 'x', json: { email: OWNER.email, password: OWNER.password } });
    expect(status).toBe(200);
  });
});
