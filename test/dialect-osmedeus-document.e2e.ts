import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { embeddedIn, makeDirectory, type TestDirectory } from './support/directory.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';

/**
 * The examples of the product's own document, run by a shell as they stand there, on an embedded database. The one thing
 * changed is what the example protects: `/osm/api/workflows` is the product's, `/osm/api/user` is here.
 */
describe('the document of Osmedeus', () => {
  let data: TestDirectory;
  let server: Gatehouse;

  beforeAll(async () => {
    data = makeDirectory();
    server = await startGatehouse({
      env: {
        ...embeddedIn(data.path), DIALECTS: 'osmedeus', PORT: '8002',
        BOOTSTRAP_OWNER_USERNAME: 'osmedeus', BOOTSTRAP_OWNER_PASSWORD: 'your-password',
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    data.remove();
  });

  const shell = async (script: string, env: Record<string, string> = {}): Promise<unknown> => {
    const { stdout } = await promisify(execFile)('sh', ['-ec', script.replace('curl', 'curl -s')], { env: { PATH: process.env['PATH'], ...env } });
    return JSON.parse(stdout);
  };
  const LOGIN = `curl -X POST http://localhost:8002/osm/api/login \\
  -H "Content-Type: application/json" \\
  -d '{
    "username": "osmedeus",
    "password": "your-password"
  }'`;

  it('signs in, uses the token and signs out', async () => {
    const { token } = (await shell(LOGIN)) as { token: string };
    const ask = 'curl http://localhost:8002/osm/api/user \\\n  -H "Authorization: Bearer $TOKEN"';
    expect(await shell(ask, { TOKEN: token })).toEqual({ username: 'osmedeus' });
    expect(await shell('curl -X POST http://localhost:8002/osm/api/logout')).toEqual({ message: 'Logged out successfully' });
    expect(await shell('curl -X POST http://localhost:8002/osm/api/logout -H "Authorization: Bearer $TOKEN"', { TOKEN: token }))
      .toEqual({ message: 'Logged out successfully' });
    expect(await shell(ask, { TOKEN: token })).toEqual({ error: true, message: 'Invalid or expired token' });
  });

  it('uses the API key', async () => {
    const key = /x-osm-api-key: (\S+)/.exec(server.output())![1]!;
    const ask = 'curl http://localhost:8002/osm/api/user \\\n  -H "x-osm-api-key: $OSM_API_KEY"';
    expect(await shell(ask, { OSM_API_KEY: key })).toEqual({ username: 'api-key' });
    expect(await shell(ask, { OSM_API_KEY: 'your-api-key-here' })).toEqual({ error: true, message: 'Invalid or missing API key' });
  });
});
