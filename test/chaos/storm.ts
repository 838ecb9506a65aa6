import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './faults.js';
import type { Disturbance, History } from './history.js';
import type { Random } from './random.js';

/**
 * Lets faults happen in each lane, one after the other with a while of calm between them, until it is time and each has
 * happened, or until it is called off. Whatever went wrong has been put right when this returns.
 */
export async function storm(
  lanes: readonly (readonly Fault[])[],
  { until, random, history, calledOff }: { until: number; random: Random; history: History; calledOff: AbortSignal },
): Promise<void> {
  await Promise.all(lanes.map(async (faults, index) => {
    const choice = random.fork(`lane ${String(index)}`);
    for (let round = 0; round === 0 || performance.now() < until; round++) {
      for (const fault of choice.shuffled(faults)) {
        await delay(choice.between(200, 1_200));
        if (calledOff.aborted) return;
        const disturbance: Disturbance = { kind: fault.kind, begun: performance.now(), ended: null, blinding: fault.blinding };
        history.disturbances.push(disturbance);
        await fault.happen();
        disturbance.ended = performance.now();
      }
    }
  }));
}
