import { RULES, type Rule } from './checker.js';
import { byCredential, type History } from './history.js';
import type { ChaosResult } from './run-chaos.js';

const EXAMPLES = 5;

/** The figures of a run, a line each, and examples of everything that must not have happened. */
export function report(result: ChaosResult): string {
  const { options: { mode, seed, seconds }, history, violations } = result;
  return [
    `Chaos: three instances behind nginx, PRINCIPAL_CACHE=${mode}, ${String(seconds)} s or more of faults, CHAOS_SEED=${seed}`,
    ...figures(history),
    ...Object.keys(RULES).map((rule) => `${RULES[rule as Rule]}: ${String(violations.filter((violation) => violation.rule === rule).length)}`),
    ...details(result),
  ].join('\n  ');
}

function figures(history: History): string[] {
  const { attempts, writes, endings, sockets, disturbances, stops, failedStarts, lockouts } = history;
  const answered = attempts.filter(({ outcome }) => outcome === 'answered');
  const durations = answered.map(({ begun, ended }) => ended - begun).sort((one, other) => one - other);
  const outcomes = count(attempts.map(({ outcome }) => outcome));
  return [
    `faults: ${String(disturbances.length)} (${list(count(disturbances.map(({ kind }) => kind)))})`,
    `requests: ${String(attempts.length)} (${list(outcomes)}); half answered within ${ms(durations, 0.5)}, 99 of 100 within ${ms(durations, 0.99)}, all within ${ms(durations, 1)}`,
    `answers of instances: ${list(count(answered.filter(({ ofProduct }) => ofProduct).map(({ status }) => String(status))))}`,
    `answers of nginx itself, with no instance to answer: ${list(count(answered.filter(({ ofProduct }) => !ofProduct).map(({ status }) => String(status))))}`,
    `acknowledged writes: ${String(writes.length)} (${list(count(writes.map(({ what }) => what)))})`,
    `revocations answered: ${String(endings.filter((ending) => ending.answered !== null).length)}; requests with those credentials afterwards: ${String(usesAfterEnd(history))}`,
    `sockets opened: ${String(sockets.length)}; ended with their key: ${String(sockets.filter(({ code }) => code === 1008).length)}`,
    `instances stopped: ${String(stops.length)}, the slowest within ${ms(stops.map(({ tookMs }) => tookMs).sort((one, other) => one - other), 1)}; starts that had to be repeated: ${String(failedStarts.length)}`,
    `lockouts of those who also tried old passwords: ${String(lockouts.filter(({ onlyRightPasswords }) => !onlyRightPasswords).length)}`,
    `ready after the last fault: ${history.recoveredAfterMs === null ? 'never' : `${history.recoveredAfterMs.toFixed(0)} ms`}`,
  ];
}

/** How often a credential was shown after its end had been acknowledged: each time it could have been accepted. */
export function usesAfterEnd({ uses, endings }: History): number {
  const ends = byCredential(endings);
  return uses.filter(({ credential, begun }) => ends.get(credential)?.some(({ answered }) => answered !== null && begun > answered)).length;
}

function details({ history, violations, begun, linesAbout }: ChaosResult): string[] {
  return Object.keys(RULES).flatMap((rule) =>
    violations.filter((violation) => violation.rule === rule).slice(0, EXAMPLES).flatMap(({ at, what, requestId = '' }) => {
      const meanwhile = history.disturbances.filter((one) => one.begun < at + 500 && (one.ended ?? Infinity) > at - 3_000).map(({ kind }) => kind);
      const lines = requestId === '' ? [] : linesAbout(requestId).map((line) => `    ${line}`);
      return [`! ${RULES[rule as Rule]}: at ${((at - begun) / 1000).toFixed(2)} s ${what} [${meanwhile.join(', ')}]`, ...lines];
    }),
  );
}

function count(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

function list(counts: Map<string, number>): string {
  if (counts.size === 0) return 'none';
  return [...counts].sort(([one], [other]) => one.localeCompare(other)).map(([name, times]) => `${name} ${String(times)}`).join(', ');
}

/** The value below which a share of sorted values lies. */
function ms(sorted: readonly number[], share: number): string {
  return `${(sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(0)} ms`;
}
