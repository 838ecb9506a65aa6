import { type Suite, OWNER, startSuite } from './support/suite.js';

const LOOPBACK = /^(127\.0\.0\.1|::1|::ffff:127\.0\.0\.1)$/;

/** Signs in with headers as a proxy sends them; tells what the session and the audit log then say. */
async function addressesAfterLogin(suite: Suite, headers: Record<string, string>): Promise<{ session: string; audit: string; cookie: string }> {
  const { status, body, headers: answered } = await suite.api.call('POST /auth/login', { json: { identifier: OWNER.email, password: OWNER.password }, headers });
  expect(status).toBe(200);
  const token = body.accessToken as string;
  const sessions = (await suite.api.call('GET /auth/sessions', { token })).body.items as { current: boolean; ipAddress: string }[];
  const events = (await suite.api.call('GET /audit-events?action=login.succeeded&limit=1', { token })).body.items as { ipAddress: string }[];
  return {
    session: sessions.find(({ current }) => current)?.ipAddress ?? '',
    audit: events[0]?.ipAddress ?? '',
    cookie: answered.get('set-cookie') ?? '',
  };
}

interface Case { sent: string; expected: string | RegExp }

describe.each<[string, Case[]]>([
  ['false', [{ sent: '203.0.113.7', expected: LOOPBACK }]],
  ['true', [
    { sent: '203.0.113.7', expected: '203.0.113.7' },
    { sent: '203.0.113.7, 198.51.100.2', expected: '203.0.113.7' },
    { sent: '2001:db8::7', expected: '2001:db8::7' },
    { sent: '203.0.113.7:4711', expected: '203.0.113.7' },
    { sent: '[2001:db8::7]:4711', expected: '2001:db8::7' },
    { sent: `${'x'.repeat(200)}, 203.0.113.7`, expected: '203.0.113.7' },
    { sent: "'; DROP TABLE users; --", expected: LOOPBACK },
    { sent: `fe80::1%${'a'.repeat(80)}`, expected: LOOPBACK },
  ]],
  ['1', [
    { sent: '203.0.113.7', expected: '203.0.113.7' },
    { sent: '10.0.0.1, 203.0.113.7', expected: '203.0.113.7' },
  ]],
  ['2', [{ sent: '10.0.0.1, 203.0.113.7, 198.51.100.2', expected: '203.0.113.7' }]],
  ['127.0.0.1, 198.51.100.0/24', [
    { sent: '10.0.0.1, 203.0.113.7, 198.51.100.2', expected: '203.0.113.7' },
    { sent: '10.0.0.1, 203.0.113.7', expected: '203.0.113.7' },
  ]],
  ['192.0.2.1', [{ sent: '203.0.113.7', expected: LOOPBACK }]],
])('TRUST_PROXY=%s', (setting, cases) => {
  let suite: Suite;
  beforeAll(async () => { suite = await startSuite({ TRUST_PROXY: setting }); });
  afterAll(() => suite.stop());

  it.each(cases)('X-Forwarded-For: $sent', async ({ sent, expected }) => {
    const { session, audit } = await addressesAfterLogin(suite, { 'X-Forwarded-For': sent });
    expect(session).toMatch(typeof expected === 'string' ? new RegExp(`^${expected}$`) : expected);
    expect(audit).toBe(session);
  });

  it('the device cookie is for HTTPS alone where a trusted proxy says that it was HTTPS', async () => {
    const trusted = setting !== 'false' && setting !== '192.0.2.1';
    const secure = await addressesAfterLogin(suite, { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https' });
    expect(/; Secure/i.test(secure.cookie)).toBe(trusted);
    expect(secure.cookie).toMatch(/^gh_device=.*; HttpOnly; .*SameSite=Lax/i);
    expect((await addressesAfterLogin(suite, {})).cookie).not.toMatch(/; Secure/i);
  });
});
