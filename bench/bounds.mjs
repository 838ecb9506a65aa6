// What was set as the goal, and how each figure follows from what was measured.

/** The median of the figures of all rounds. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** From this share of its core on, the server is what limits the rate. */
const SATURATED = 0.9;

/**
 * How much faster one load was served than another, the median over rounds. Where the server had to wait for the load, for
 * PostgreSQL or for Redis, rates say nothing about it, and the processor time of a request is compared instead.
 */
function faster(results, name, reference, rateOf = ({ perSecond }) => perSecond) {
  const ours = results.get(name);
  const theirs = results.get(reference);
  if (ours === undefined || theirs === undefined) return null;
  const rates = median(ours.map((round, index) => rateOf(round) / rateOf(theirs[index])));
  const measured = [...ours, ...theirs].every(({ cpuMicros }) => cpuMicros !== null && cpuMicros !== undefined);
  if (!measured) return { value: rates, by: 'rate' };
  const cpu = median(ours.map((round, index) => theirs[index].cpuMicros / round.cpuMicros));
  const saturated = [ours, theirs].every((rounds) => median(rounds.map(({ busy }) => busy)) >= SATURATED);
  return { value: saturated ? rates : cpu, by: saturated ? 'rate' : 'cpu', rates, cpu };
}

const seconds = (results, name) => {
  const all = results.get(name);
  return all === undefined ? null : { value: median(all) / 1000, by: 'seconds' };
};

/** Every goal: what it is called, at least or at most how much, and the figure. */
export const BOUNDS = [
  { name: 'guarded route, JWT, memory, against an open route', least: 0.8, of: (r) => faster(r, 'guarded, JWT, memory', 'open route') },
  { name: 'guarded route, API key, memory, against JWT', least: 0.9, of: (r) => faster(r, 'guarded, API key, memory', 'guarded, JWT, memory') },
  { name: 'guarded route, cache off, against the floor', least: 0.85, of: (r) => faster(r, 'guarded, JWT, off', 'floor, guarded') },
  { name: 'guarded route, Redis, against cache off', least: 1.15, of: (r) => faster(r, 'guarded, JWT, redis', 'guarded, JWT, off') },
  { name: 'me, against Better Auth get-session', least: 20, of: (r) => faster(r, 'me', 'Better Auth, get-session') },
  { name: 'API key, cache off, against Better Auth API key', least: 15, of: (r) => faster(r, 'guarded, API key, off', 'Better Auth, API key') },
  { name: 'logins a second, against raw bcrypt', least: 0.93, of: (r) => faster(r, 'login', 'bcrypt', ({ steadyPerSecond }) => steadyPerSecond) },
  {
    name: 'guarded p99 in a login storm, against quiet',
    most: 3,
    of: (r) => {
      const [storm, quiet] = [r.get('guarded, in a storm'), r.get('guarded, quiet')];
      if (storm === undefined || quiet === undefined) return null;
      return { value: median(storm.map(({ p99 }) => p99)) / median(quiet.map(({ p99 }) => p99)), by: 'p99' };
    },
  },
  { name: 'refresh, against the floor', least: 0.8, of: (r) => faster(r, 'refresh', 'floor, refresh') },
  { name: 'start to first 200, embedded, warm (s)', most: 2, of: (r) => seconds(r, 'start, embedded') },
  { name: 'start to first 200, PostgreSQL (s)', most: 1.2, of: (r) => seconds(r, 'start, PostgreSQL') },
  {
    name: 'memory idle, PostgreSQL (MB)',
    most: 130,
    of: (r) => {
      const all = r.get('memory, idle');
      return all === undefined || all.includes(null) ? null : { value: median(all), by: 'resident' };
    },
  },
];

/** Statements a call, at most: with a warm cache, and with the cache off. */
export const STATEMENT_BOUNDS = {
  memory: { guarded: 0, key: 0, me: 1, refresh: 1, logout: 2, login: 5 },
  off: { guarded: 1, key: 1, me: 1, refresh: 1, logout: 2, login: 5 },
};
