// The table that is printed, and the same as JSON.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { BOUNDS, median, STATEMENT_BOUNDS } from './bounds.mjs';
import { CORES, pathOf, PINNED } from './processes.mjs';

const digits = (value) => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);

function table(header, rows) {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

/** What was measured under each load, over all rounds. */
function loadsOf(results) {
  return [...results]
    .filter(([, rounds]) => typeof rounds[0] === 'object' && rounds[0] !== null)
    .map(([name, rounds]) => {
      const of = (key) => (rounds.every((round) => typeof round[key] === 'number') ? median(rounds.map((round) => round[key])) : null);
      return { name, perSecond: of('steadyPerSecond') ?? of('perSecond'), cpuMicros: of('cpuMicros'), busy: of('busy'), p50: of('p50'), p99: of('p99') };
    });
}

function boundsOf(results, statements) {
  const measured = BOUNDS.map(({ name, least, most, of }) => ({ name, least, most, ...of(results) }));
  const counted = Object.entries(STATEMENT_BOUNDS).flatMap(([cache, calls]) =>
    Object.entries(calls).map(([call, most]) => ({ name: `SQL statements: ${call}, ${cache === 'off' ? 'cache off' : 'warm cache'}`, most, value: statements?.[cache][call], by: 'count' })),
  );
  return [...measured, ...counted].map((bound) => ({
    ...bound,
    reached: bound.value === undefined ? null : bound.least === undefined ? bound.value <= bound.most : bound.value >= bound.least,
  }));
}

/** Versions of what is compared, for whoever repeats it. */
function versions() {
  const read = (name) => JSON.parse(readFileSync(pathOf(name), 'utf8'));
  return { gatehouse: read('../package.json').version, node: process.version.slice(1), ...read('package.json').dependencies };
}

/** Prints the tables and writes everything to `results.json`. */
export function report(results, { statements, databaseVersion, redisVersion, memoryAfterLoad, plan }) {
  const loads = loadsOf(results);
  const bounds = boundsOf(results, statements);
  const show = (value, unit = '') => (value === null || value === undefined ? '–' : digits(value) + unit);
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: CORES, pinned: PINNED };
  const written = { at: new Date().toISOString(), machine, versions: { ...versions(), postgresql: databaseVersion, redis: redisVersion }, plan, bounds, loads, memoryAfterLoad, rounds: Object.fromEntries(results) };
  writeFileSync(pathOf('results.json'), `${JSON.stringify(written, null, 2)}\n`);

  const goals = bounds.map(({ name, least, most, value, by, reached }) => [
    name, show(value), least === undefined ? `≤ ${most}` : `≥ ${least}`, by ?? '–', reached === null ? 'not measured' : reached ? 'yes' : 'NO',
  ]);
  process.stdout.write(`\n${table(['goal', 'measured', 'wanted', 'by', 'reached'], goals)}\n\n`);
  const rows = loads.map(({ name, perSecond, cpuMicros, busy, p50, p99 }) => [
    name, show(perSecond), show(cpuMicros, ' µs'), busy === null ? '–' : `${Math.round(busy * 100)} %`, show(p50, ' ms'), show(p99, ' ms'),
  ]);
  process.stdout.write(`${table(['load', 'requests/s', 'CPU a request', 'busy', 'p50', 'p99'], rows)}\n\n`);
  process.stdout.write(`Memory after all that: ${Object.entries(memoryAfterLoad).map(([name, megabytes]) => `${name} ${show(megabytes, ' MB')}`).join(', ')}\n`);
  process.stdout.write(`${machine.cpu}, ${CORES} cores${PINNED ? ', the server on one of them' : ', nothing pinned'}; Node ${written.versions.node}, PostgreSQL ${databaseVersion}, Redis ${redisVersion ?? 'not installed: its rows are left out'}\n`);
  process.stdout.write(`Everything: bench/results.json\n`);
  return bounds.every(({ reached }) => reached !== false);
}
