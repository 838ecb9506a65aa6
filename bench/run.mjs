// How fast is Gatehouse, beside the limits of its platform and what people would pick instead? `npm run bench` starts the
// built server and each reference, loads them in turn for several rounds, and prints the medians of each round's ratios.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../dist/database/embedded/index.js';
import { leaveServerCore, pathOf, runScript } from './processes.mjs';

const HELP = `npm run bench -- [options]
  --rounds <n>     rounds of all loads (5)
  --quick <ms>     how long a load lasts (2000)
  --slow <ms>      how long one lasts that takes passwords (6000)
  --only <regexp>  these loads alone; also: bcrypt, storm, starts, statements
`;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    quick: { type: 'string', default: '2000' },
    slow: { type: 'string', default: '6000' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const plan = { rounds: Number(flags.rounds), quick: Number(flags.quick), slow: Number(flags.slow) };
const wanted = new RegExp(flags.only);
const tell = (text) => process.stderr.write(`${text}\n`);

// What the references need is installed here, and only by whoever runs the bench.
if (!existsSync(pathOf('node_modules'))) {
  tell('installing the references in bench/node_modules');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: pathOf('.'), stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
leaveServerCore();
const { startRedis } = await import('./redis.mjs');
const { residentMegabytes, measureStarts } = await import('./starts.mjs');
const { databaseVersionOf, startServers } = await import('./servers.mjs');
const { measureRounds } = await import('./rounds.mjs');
const { report } = await import('./report.mjs');

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
// As root the database runs as another account, which has to get there.
chmodSync(directory, 0o711);
const database = await startEmbeddedPostgres({ dataDir: join(directory, 'database'), reach: 'loopback', log: () => undefined });
const redis = await startRedis();
try {
  const { host, port, user, password } = database.connection;
  const databaseServer = `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/`;
  tell('starting the servers');
  const bench = await startServers(databaseServer, redis?.url ?? null);
  let results;
  let memoryAfterLoad;
  try {
    results = await measureRounds(bench, { ...plan, wanted, tell });
    memoryAfterLoad = Object.fromEntries(Object.entries(bench.servers).map(([name, { pid }]) => [name, residentMegabytes(pid)]));
  } finally {
    await bench.stop();
  }
  const databaseUrl = `${databaseServer}ours`;
  let statements;
  if (wanted.test('statements')) {
    tell('counting statements');
    statements = await runScript('statements.mjs', [databaseUrl], { nodeArgs: ['--import', '@swc-node/register/esm-register'] });
  }
  if (wanted.test('starts')) {
    tell('starting again and again');
    for (const [name, all] of await measureStarts({ databaseUrl, dataDir: join(directory, 'own'), rounds: plan.rounds })) results.set(name, all);
  }
  const databaseVersion = await databaseVersionOf(databaseUrl);
  const reached = report(results, { statements, databaseVersion, redisVersion: redis?.version ?? null, memoryAfterLoad, plan });
  process.exitCode = reached ? 0 : 1;
} finally {
  await redis?.stop();
  await database.stop();
  rmSync(directory, { recursive: true, force: true });
}
