import { randomBytes } from 'node:crypto';
import { type Api, send } from './support/client.js';
import { TEST_JWT_SECRET } from './support/gatehouse.js';
import { decodeJwt, forgeJwt } from './support/jwt.js';
import { OWNER, startSuite, type Suite } from './support/suite.js';

const NEXT_SECRET = randomBytes(48).toString('base64');

describe('a change of JWT_SECRET', () => {
  let suite: Suite;
  let changed: Api;
  let dropped: Api;
  let old: Awaited<ReturnType<Api['login']>>;

  beforeAll(async () => {
    suite = await startSuite();
    old = await suite.api.login(OWNER.email, OWNER.password);
    changed = await suite.startAnother({ JWT_SECRET: NEXT_SECRET, JWT_SECRET_PREVIOUS: TEST_JWT_SECRET });
    dropped = await suite.startAnother({ JWT_SECRET: NEXT_SECRET });
  });
  afterAll(() => suite.stop());

  const me = async (api: Api, token: string): Promise<number> => (await api.call('GET /auth/me', { token })).status;

  it('leaves access tokens good that the previous secret signed, until it is dropped', async () => {
    expect(await me(changed, old.accessToken)).toBe(200);
    expect(await me(dropped, old.accessToken)).toBe(401);
  });

  it('signs with the new secret alone', async () => {
    const { accessToken } = await changed.login(OWNER.email, OWNER.password);
    expect([await me(changed, accessToken), await me(dropped, accessToken), await me(suite.api, accessToken)]).toEqual([200, 200, 401]);
    expect(decodeJwt(accessToken).header['kid']).not.toBe(decodeJwt(old.accessToken).header['kid']);
  });

  it('does not verify a token by the one secret that names the other', async () => {
    const { header, claims } = decodeJwt(old.accessToken);
    expect(await me(changed, forgeJwt(header, claims, { secret: TEST_JWT_SECRET }))).toBe(200);
    expect(await me(changed, forgeJwt(header, claims, { secret: NEXT_SECRET }))).toBe(401);
    const { kid: _, ...anonymous } = header;
    expect(await me(changed, forgeJwt(anonymous, claims, { secret: TEST_JWT_SECRET }))).toBe(401);
  });

  it('exchanges refresh tokens of the previous secret for new ones, until it is dropped', async () => {
    const { refreshToken } = await suite.api.login(OWNER.email, OWNER.password);
    const refresh = (api: Api, token: string) => api.call('POST /auth/refresh', { json: { refreshToken: token } });
    expect((await refresh(dropped, refreshToken)).status).toBe(401);
    const { status, body } = await refresh(changed, refreshToken);
    expect(status).toBe(200);
    expect((await refresh(suite.api, body.refreshToken)).status).toBe(401);
    expect((await refresh(dropped, body.refreshToken)).status).toBe(200);
  });

  it('knows browsers of the previous secret', async () => {
    const login = (api: Api, cookie: string, password: string) =>
      send(`POST ${api.gatehouse.api}/auth/login`, { json: { username: 'browser', password }, headers: { cookie } });
    await suite.api.createUser((await suite.api.login(OWNER.email, OWNER.password)).accessToken, { username: 'browser', password: 'known for long' });
    const { headers } = await login(suite.api, '', 'known for long');
    const cookie = headers.getSetCookie()[0]!.split(';')[0]!;
    for (let guess = 0; guess < 5; guess++) await login(changed, '', 'wrong');
    expect((await login(changed, '', 'known for long')).status).toBe(423);
    expect((await login(dropped, cookie, 'known for long')).status).toBe(423);
    expect((await login(changed, cookie, 'known for long')).status).toBe(200);
  });
});
