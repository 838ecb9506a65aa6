import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { loadSettings, SETTING_VARIABLES } from '../src/config/index.js';

const ROOT = join(__dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** What the secrets of the examples are made like. */
const SECRETS: Record<string, string> = {
  'jwt-secret': 'kV9x2mQ7tLw4ZpR8sYb3NcJ6hGf1DaE5uXo0TiKvBnMqWrSz',
  'database-url': 'postgres://gatehouse:0123456789abcdef@postgres:5432/gatehouse',
  'redis-url': 'redis://:0123456789abcdef@redis:6379',
};

/** Starts nothing, but refuses what the server would refuse. */
function load(env: Record<string, string>): ReturnType<typeof loadSettings> {
  return loadSettings({
    env: { ...env, NODE_ENV: 'production', HOST: '0.0.0.0' },
    readFile: (path) => SECRETS[path.split('/').at(-1) ?? ''] ?? '',
  });
}

interface Compose {
  services: Record<string, {
    environment?: Record<string, string>;
    secrets?: string[];
    volumes?: string[];
    ports?: string[];
    depends_on?: Record<string, unknown>;
    stop_grace_period?: string;
  }>;
  secrets: Record<string, unknown>;
}

interface Deployment {
  kind: string;
  spec: {
    template: {
      spec: {
        terminationGracePeriodSeconds: number;
        containers: { env: { name: string; value: string }[]; livenessProbe: Probe; startupProbe: Probe; readinessProbe: Probe }[];
      };
    };
  };
}

interface Probe {
  httpGet: { path: string };
}

describe('compose.yaml', () => {
  const { services, secrets } = parse(read('deploy/compose.yaml'), { merge: true }) as Compose;

  it.each(['gatehouse-1', 'gatehouse-2'])('gives %s settings that the server takes', (name) => {
    const settings = load(services[name]?.environment ?? {});
    expect(settings).toMatchObject({ databaseUrl: SECRETS['database-url'], redisUrl: SECRETS['redis-url'], principalCache: 'redis', trustProxy: 1 });
    expect(parseInt(services[name]?.stop_grace_period ?? '', 10)).toBeGreaterThan(settings.shutdownDelay + 10);
  });

  it('publishes the port that the load balancer listens on', () => {
    const [, listen] = /listen (\d+);/.exec(read('deploy/nginx.conf')) ?? [];
    expect(services['load-balancer']?.ports).toEqual([`127.0.0.1:3000:${String(listen)}`]);
  });

  it('names nothing that is not there', () => {
    for (const service of Object.values(services)) {
      for (const secret of service.secrets ?? []) expect(Object.keys(secrets)).toContain(secret);
      for (const other of Object.keys(service.depends_on ?? {})) expect(Object.keys(services)).toContain(other);
      for (const [file] of (service.volumes ?? []).map((volume) => volume.split(':'))) {
        if (file?.startsWith('./') === true) expect(existsSync(join(ROOT, 'deploy', file))).toBe(true);
      }
    }
  });
});

describe('the Kubernetes example', () => {
  const documents = parseAllDocuments(read('deploy/kubernetes/gatehouse.yaml')).map((document) => document.toJS() as Deployment);
  const [{ spec: { template: { spec: pod } } }] = documents as [Deployment];
  const [container] = pod.containers as [Deployment['spec']['template']['spec']['containers'][number]];

  it('is a Deployment with a Service and a budget of disruptions', () => {
    expect(documents.map(({ kind }) => kind)).toEqual(['Deployment', 'Service', 'PodDisruptionBudget']);
  });

  it('gives the server settings that it takes, and time to stop', () => {
    const settings = load(Object.fromEntries(container.env.map(({ name, value }) => [name, value])));
    expect(settings).toMatchObject({ principalCache: 'redis', shutdownDelay: 5 });
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(settings.shutdownDelay + 10);
  });

  it('asks about the database before it sends requests, and never before it restarts', () => {
    expect(container.readinessProbe.httpGet.path).toBe('/health/ready');
    expect([container.livenessProbe, container.startupProbe].map(({ httpGet }) => httpGet.path)).toEqual(['/health', '/health']);
  });
});

describe('the Dockerfile', () => {
  const lines = read('deploy/Dockerfile').split('\n');

  it('copies what is there, and what the context lets through', () => {
    const context = read('deploy/Dockerfile.dockerignore').split('\n');
    const copied = lines.filter((line) => line.startsWith('COPY ') && !line.includes('--from')).flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(copied.length).toBeGreaterThan(3);
    for (const file of copied) {
      expect(existsSync(join(ROOT, file))).toBe(true);
      expect(context).toContain(`!${file}`);
    }
  });

  it('has the command line on its path', () => {
    const { bin } = JSON.parse(read('package.json')) as { bin: { gatehouse: string } };
    expect(read('deploy/Dockerfile')).toContain(`ln -s /app/${bin.gatehouse} /usr/local/bin/gatehouse`);
    expect(statSync(join(ROOT, bin.gatehouse)).mode & 0o111).toBe(0o111);
  });

  it('sets variables that exist, and does not run as root', () => {
    const set = lines.filter((line) => line.startsWith('ENV ')).flatMap((line) => line.split(/\s+/).slice(1).map((pair) => pair.split('=')[0]));
    const known = SETTING_VARIABLES.map(({ name }) => name);
    for (const name of set) expect(known).toContain(name);
    expect(lines).toContain('USER node');
  });
});

it('every variable that the page on running it names is one', () => {
  const known = SETTING_VARIABLES.map(({ name }) => name);
  const others = ['NEW_DATABASE_URL', 'CONCURRENTLY', 'SIGTERM'];
  const named = read('deploy/README.md').match(/\b[A-Z]{2,}(?:_[A-Z]+)+\b/g) ?? [];
  expect(named.length).toBeGreaterThan(10);
  for (const name of named) expect([...known, ...known.map((one) => `${one}_FILE`), ...others]).toContain(name);
});
