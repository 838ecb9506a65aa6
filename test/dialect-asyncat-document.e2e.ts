import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { embeddedIn, makeDirectory, type TestDirectory } from './support/directory.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';

/** The example of the product's own document, run by a shell as it stands there, on a first start with nothing set. */
describe('the document of asyncat', () => {
  let data: TestDirectory;
  let server: Gatehouse;

  beforeAll(async () => {
    data = makeDirectory();
    server = await startGatehouse({ env: { ...embeddedIn(data.path), DIALECTS: 'asyncat', PORT: undefined } });
  });
  afterAll(async () => {
    await server.stop();
    data.remove();
  });

  const shell = async (script: string): Promise<unknown> => {
    const { stdout } = await promisify(execFile)('sh', ['-ec', script.replace('curl', 'curl -s')]);
    return JSON.parse(stdout);
  };

  it('signs in with the seeded account on port 8716', async () => {
    const answer = await shell(`curl -X POST http://localhost:8716/api/auth/login \\
-H "Content-Type: application/json" \\
-d '{"email":"admin@local","password":"changeme"}'`);
    expect(answer).toEqual({
      success: true,
      token: expect.stringMatching(/^eyJ/),
      user: { id: expect.any(String), email: 'admin@local', name: null, profile_picture: null },
    });
    const { token } = answer as { token: string };
    expect(await shell(`curl http://localhost:8716/api/auth/me -H "Authorization: Bearer ${token}"`)).toMatchObject({ success: true });
  });
});
