import type { DataSource } from 'typeorm';
import { processesOf, type Settings } from '../../config/index.js';
import { type Finding, findingIf } from '../finding.js';
import { runningInstances } from '../server-instances.js';

/** What instances that check each other's times can live with. */
const MOST_APART_MS = 2_000;
/** From here on tokens are refused that were just made. */
const FAR_APART_MS = 30_000;
const ASKED_TIMES = 3;

/** How the database's clock stands to this machine's. */
export async function checkClock(dataSource: DataSource): Promise<Finding[]> {
  const apart = await millisecondsApart(dataSource);
  return findingIf(Math.abs(apart) > MOST_APART_MS, {
    id: 'database-clock-differs',
    severity: Math.abs(apart) > FAR_APART_MS ? 'error' : 'warning',
    title: `The clock of the database is ${(Math.abs(apart) / 1000).toFixed(1)} s ${apart > 0 ? 'ahead of' : 'behind'} this machine’s.`,
    meaning: 'Tokens end by the clock of the server, sessions, keys and locks by that of the database: they end too early or too late, and the audit log is out of order.',
    remedy: 'Have both machines set their clocks by the network (timedatectl set-ntp true).',
  });
}

/** Of several answers the quickest says most; what of its time was the way back is not known. */
async function millisecondsApart(dataSource: DataSource): Promise<number> {
  let best = { apart: 0, took: Infinity };
  for (let time = 0; time < ASKED_TIMES; time += 1) {
    const before = performance.now();
    const wall = Date.now();
    const [row] = await dataSource.query<[{ ms: number }]>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms');
    const took = performance.now() - before;
    const apart = row.ms - (wall + took / 2);
    if (took < best.took) best = { apart: Math.sign(apart) * Math.max(0, Math.abs(apart) - took / 2), took };
  }
  return best.apart;
}

/** Whether all pools together get their connections. Behind a pooler that is the pooler's to say. */
export async function checkConnections(dataSource: DataSource, settings: Settings): Promise<Finding[]> {
  if (settings.databasePooler === 'true' || (await isPooled(dataSource))) return [];
  const [{ most, reserved, others }] = await dataSource.query<[{ most: number; reserved: number; others: number }]>(
    `SELECT current_setting('max_connections')::int AS most,
            current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
            (SELECT count(*)::int FROM pg_stat_activity
              -- Of other roles' sessions PostgreSQL does not tell everybody the type; autovacuum's have no user.
              WHERE coalesce(backend_type, 'client backend') = 'client backend' AND datid IS NOT NULL AND usesysid IS NOT NULL
                AND application_name NOT LIKE 'gatehouse%') AS others`,
  );
  const instances = await runningInstances(dataSource);
  const here = processesOf(settings) * settings.databasePoolSize;
  // Servers that run say what they may open; where none does, it is what one would open here.
  const wanted = Math.max(here, instances.reduce((sum, { database_pool_size: size }) => sum + size, 0));
  const left = most - reserved - others;
  return findingIf(wanted > left, {
    id: 'database-connections-short',
    severity: 'error',
    title: `The servers may open ${String(wanted)} connections (${String(Math.max(instances.length, processesOf(settings)))} processes), and the database has ${String(left)} for them.`,
    meaning: `max_connections is ${String(most)}, of which ${String(reserved)} are reserved and ${String(others)} are others’. Under load, requests are answered 503.`,
    remedy: 'Set DATABASE_POOL_SIZE lower, max_connections higher, or put PgBouncer in between.',
  });
}

/** A pooler makes up the number of the server's process for each of its clients. */
async function isPooled(dataSource: DataSource): Promise<boolean> {
  const runner = dataSource.createQueryRunner();
  try {
    const { processID } = (await runner.connect()) as { processID: number };
    const [row] = (await runner.query('SELECT pg_backend_pid() AS pid')) as [{ pid: number }];
    return row.pid !== processID;
  } finally {
    await runner.release();
  }
}

/** Whether what was acknowledged outlives a crash of the database's machine. */
export async function checkDurability(dataSource: DataSource): Promise<Finding[]> {
  const off = await dataSource.query<{ name: string }[]>(
    "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name",
  );
  const names = off.map(({ name }) => name);
  return findingIf(names.length > 0, {
    id: 'database-not-durable',
    severity: names.includes('fsync') || names.includes('full_page_writes') ? 'error' : 'warning',
    title: `The database runs with ${names.map((name) => `${name} = off`).join(', ')}.`,
    meaning: 'After a crash of its machine, credentials that had been revoked may be good again; without fsync or full_page_writes the whole database may be lost.',
    remedy: `${names.map((name) => `ALTER SYSTEM RESET ${name};`).join(' ')} SELECT pg_reload_conf();`,
  });
}

/** Whether the server works as a role that may do more than it needs. The embedded database has but one. */
export async function checkRole(dataSource: DataSource, { databaseUrl }: Settings): Promise<Finding[]> {
  if (databaseUrl === undefined) return [];
  const [row] = await dataSource.query<[{ superuser: boolean; name: string }]>('SELECT rolsuper AS superuser, rolname AS name FROM pg_roles WHERE rolname = current_user');
  return findingIf(row.superuser, {
    id: 'database-superuser',
    severity: 'notice',
    title: `The server works as ${row.name}, a superuser of the database.`,
    meaning: 'A hole in the server would be one in every database of that PostgreSQL, and in the files of its machine; the audit log could be rewritten.',
    remedy: 'Make a role with the grants of deploy/README.md, “The database’s roles”, and put it into DATABASE_URL.',
  });
}
