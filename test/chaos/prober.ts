import type { World } from './world.js';

const RECENT = 40;

/** Goes on showing credentials everywhere, good ones and above all those that have just ended, until all is over. */
export async function probe(world: World): Promise<void> {
  const { random, live, ended } = world;
  while (!world.over) {
    const candidates = random.pickWeighted([[4, [...live]], [5, ended.slice(-RECENT)], [1, ended]]);
    if (candidates.length > 0) await world.use(random.pick(candidates), random.pick(world.wire.targets));
    await world.pause(5, 25);
  }
}
