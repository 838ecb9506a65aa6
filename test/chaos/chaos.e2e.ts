import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CacheMode } from './cluster.js';
import { report, usesAfterEnd } from './report.js';
import { type ChaosResult, runChaos } from './run-chaos.js';

const seed = process.env['CHAOS_SEED'] ?? String(Date.now() % 1_000_000);
/** Of both modes together; without it, each takes as long as it takes for every fault to happen once. */
const minutes = Number(process.env['CHAOS_MINUTES'] ?? 0);
const modes = (process.env['CHAOS_CACHES'] ?? 'redis,off').split(',') as CacheMode[];

/** A program that the tests drive but do not bring along. */
function find(program: string, requirement: string): string | null {
  const places = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'].map((directory) => join(directory, program));
  const found = places.find((place) => existsSync(place));
  if (found === undefined && process.env[requirement] === '1') throw new Error(`${program} is not there, and ${requirement}=1 wants it`);
  return found ?? null;
}

const nginx = find('nginx', 'REQUIRE_NGINX');
const missing = [...(nginx === null ? ['nginx'] : []), ...(find('redis-server', 'REQUIRE_REDIS') === null ? ['redis-server'] : [])];
if (missing.length > 0) process.stderr.write(`Left out: test/chaos/chaos.e2e.ts, for want of ${missing.join(' and ')} (apt-get install nginx-light redis-server)\n`);

(missing.length === 0 ? describe : describe.skip).each(modes)('whatever fails, with PRINCIPAL_CACHE=%s', (mode) => {
  let result: ChaosResult;

  beforeAll(async () => {
    result = await runChaos({ mode, seed, seconds: (minutes * 60) / modes.length, nginx: nginx ?? '' });
    process.stdout.write(`${report(result)}\n`);
  }, (minutes * 60 + 600) * 1000);

  it('nothing acknowledged is lost and nothing that has ended is let in', () => {
    expect(result.violations).toEqual([]);
  });

  it('a lot has happened, so that this means something', () => {
    const { history } = result;
    expect(usesAfterEnd(history)).toBeGreaterThan(500);
    expect(history.writes.length).toBeGreaterThan(200);
    expect(history.sockets.filter(({ code }) => code === 1008).length).toBeGreaterThan(5);
    expect(history.attempts.filter(({ outcome }) => outcome === 'lost').length).toBeGreaterThan(20);
    expect(history.attempts.filter(({ status }) => status === 503).length).toBeGreaterThan(20);
  });
});
