import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { OWNER, type Suite, startSuite } from './support/suite.js';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

const installed = existsSync(CHROMIUM);
if (!installed && process.env['REQUIRE_BROWSER'] === '1') throw new Error(`${CHROMIUM} is not there, and REQUIRE_BROWSER=1 wants it`);
if (!installed) process.stderr.write(`Left out: test/swagger-ui.e2e.ts, for want of ${CHROMIUM} (apt-get install chromium)\n`);

(installed ? describe : describe.skip)('Swagger UI in a browser, over plain HTTP', () => {
  let suite: Suite;
  let profile: string;
  let browser: BrowserContext;
  let page: Page;
  let key: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    suite = await startSuite();
    profile = mkdtempSync(join(tmpdir(), 'gatehouse-browser-'));
    browser = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, args: FLAGS, viewport: { width: 1280, height: 1000 } });
    page = await browser.newPage();
    page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  });

  afterAll(async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
    await suite.stop();
  });

  /** For looking at, where one says where: a picture after each step. */
  const picture = async (name: string): Promise<void> => {
    const directory = process.env['SCREENSHOTS'];
    if (directory !== undefined) await page.screenshot({ path: join(directory, `${name}.png`), fullPage: false });
  };

  const operation = (method: string, path: string): Locator =>
    page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) });

  /** Opens an operation, tries it out, and reads the status of the answer and its body. */
  async function tryOut(method: string, path: string, body?: object): Promise<{ status: string; text: string }> {
    const block = operation(method, path);
    if (!(await block.getAttribute('class'))?.includes('is-open')) await block.locator('.opblock-summary-control').click();
    const button = block.getByRole('button', { name: 'Try it out' });
    if (await button.isVisible()) await button.click();
    if (body !== undefined) await block.locator('textarea.body-param__text').fill(JSON.stringify(body));
    await block.getByRole('button', { name: 'Execute', exact: true }).click();
    const answer = block.locator('.live-responses-table .response');
    await answer.waitFor();
    return {
      status: (await answer.locator('.response-col_status').innerText()).trim(),
      text: await answer.locator('.highlight-code').first().innerText(),
    };
  }

  const dialog = () => page.locator('.dialog-ux');
  const scheme = (name: RegExp) => dialog().locator('.auth-container').filter({ has: page.locator('h4', { hasText: name }) });
  const logout = (form: Locator) => form.locator('button', { hasText: 'Logout' });
  const openDialog = () => page.locator('.auth-wrapper > .authorize').click();
  const closeDialog = () => dialog().locator('.close-modal').click();

  it('loads without a complaint', async () => {
    await page.goto(`${suite.gatehouse.url}/docs`);
    await page.locator('.opblock').first().waitFor();
    await picture('1-docs');
    expect(page.url()).toMatch(/^http:\/\/127\.0\.0\.1/);
    expect(complaints).toEqual([]);
  });

  it('authorizes with user name and password, and answers GET /auth/me', async () => {
    await openDialog();
    await picture('2-authorize');
    const form = scheme(/OAuth2, password/i);
    await form.locator('#oauth_username').fill(OWNER.username);
    await form.locator('#oauth_password').fill(OWNER.password);
    await form.locator('button.authorize').click();
    await logout(form).waitFor();
    await picture('3-authorized');
    await closeDialog();
    const { status, text } = await tryOut('get', '/api/v1/auth/me');
    await picture('4-me');
    expect(status).toBe('200');
    expect(text).toContain(OWNER.email);
  });

  it('makes an API key', async () => {
    const { status, text } = await tryOut('post', '/api/v1/api-keys', { name: 'from the browser', scopes: ['users:read'] });
    expect(status).toBe('201');
    key = /gh_[0-9A-Za-z]{49}/.exec(text)?.[0] ?? '';
    expect(key).not.toBe('');
    await picture('5-key');
  });

  it('authorizes with the key alone, and still does so after a reload', async () => {
    await openDialog();
    await logout(scheme(/OAuth2, password/i)).click();
    const form = scheme(/apiKey/);
    await form.locator('input').fill(key);
    await form.locator('button.authorize').click();
    await logout(form).waitFor();
    await closeDialog();
    const current = await tryOut('get', '/api/v1/api-keys/current');
    expect(current.status).toBe('200');
    expect(current.text).toContain('from the browser');
    // The password's token is gone: a route for people is closed now.
    expect((await tryOut('get', '/api/v1/auth/me')).status).not.toBe('200');

    await page.reload();
    await page.locator('.opblock').first().waitFor();
    expect((await tryOut('get', '/api/v1/api-keys/current')).status).toBe('200');
    await picture('6-reloaded');
  });
});
