// Runs the loads in turn, several rounds of them: what disturbs the machine for a moment then touches one round of each.
import { fork } from 'node:child_process';
import { CONNECTIONS, PASSWORD } from './servers.mjs';
import { pathOf, runScript } from './processes.mjs';
import { scenariosOf, stormOf } from './scenarios.mjs';

/** Until what is run often is compiled; where the disk is waited for, that takes longer. */
const WARM_UP_MS = 3_000;
const WRITING_WARM_UP_MS = 9_000;

/** A process that makes load, one job at a time. */
class Load {
  constructor() {
    this.child = fork(pathOf('load.mjs'), { stdio: 'inherit' });
  }

  run(server, job) {
    return new Promise((resolve, reject) => {
      this.child.once('message', ({ result, error }) => (error === undefined ? resolve(result) : reject(new Error(error))));
      this.child.send({ connections: CONNECTIONS, ...job, port: server.port, pid: server.pid });
    });
  }

  stop() {
    this.child.disconnect();
  }
}

/**
 * All rounds.
 * @param plan `rounds`; the milliseconds that a load lasts, `quick`, or `slow` where it takes passwords; the names that are `wanted`
 * @returns the results of each load by its name, one a round
 */
export async function measureRounds(bench, plan) {
  const results = new Map();
  const note = (name, result) => results.set(name, [...(results.get(name) ?? []), result]);
  const load = new Load();
  const second = new Load();
  const scenarios = scenariosOf(bench).filter(({ name }) => plan.wanted.test(name));
  try {
    for (const { name, server, job, done } of scenarios) {
      const { slow, ...rest } = await job();
      if (!slow) done?.(await load.run(bench.servers[server], { name, ...rest, milliseconds: rest.kind === 'refresh' ? WRITING_WARM_UP_MS : WARM_UP_MS }));
    }
    for (let round = 1; round <= plan.rounds; round += 1) {
      plan.tell(`round ${round} of ${plan.rounds}`);
      for (const { name, server, job, done } of scenarios) {
        const { slow, ...rest } = await job();
        const result = await load.run(bench.servers[server], { name, ...rest, milliseconds: slow ? plan.slow : plan.quick });
        done?.(result);
        note(name, result);
      }
      if (plan.wanted.test('bcrypt')) {
        note('bcrypt', await runScript('references/bcrypt.mjs', [bench.seeded.passwordHash, PASSWORD, String(plan.slow)]));
      }
      if (plan.wanted.test('storm')) await storm(bench, plan, load, second, note);
    }
  } finally {
    load.stop();
    second.stop();
  }
  return results;
}

async function storm(bench, plan, load, second, note) {
  const { logins, guarded } = stormOf(bench);
  const { memory } = bench.servers;
  note('guarded, quiet', await load.run(memory, { ...guarded, milliseconds: plan.quick }));
  const signingIn = second.run(memory, { ...logins, milliseconds: plan.slow + 1_000 });
  note('guarded, in a storm', await load.run(memory, { ...guarded, milliseconds: plan.slow }));
  await signingIn;
}
