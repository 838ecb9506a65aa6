import type { Sweep } from './sweep.js';
import type { Cargo, Reply } from './wire.js';
import type { Credential, World } from './world.js';

/** A request that ends credentials. */
export interface EndingRequest {
  readonly line: string;
  readonly cargo: Cargo;
  /** Whether an answer says that it is done; `again` when an earlier attempt may have been carried out, unanswered. */
  isDone(reply: Reply, again: boolean): boolean;
}

/**
 * Ends credentials while they are in use everywhere: before, so that whoever remembers them does; meanwhile; and from
 * the very moment of the answer on.
 * @param begin begins the sweep, once all is warm
 * @returns the answer that settled it, and whether it is done
 */
export async function endUnderFire(
  world: World,
  credentials: readonly Credential[],
  begin: () => Sweep,
  request: EndingRequest,
): Promise<{ sweep: Sweep; reply: Reply; done: boolean }> {
  await useEverywhere(world, credentials);
  const sweep = begin();
  let again = false;
  let firing = credentials.length > 0;
  const fire = async (): Promise<void> => {
    while (firing) await world.use(world.random.pick(credentials), world.random.pick(world.wire.targets));
  };
  const fired = [fire(), fire()];
  const reply = await world.insist(request.line, request.cargo, () => { again = true; });
  const done = request.isDone(reply, again);
  if (done) sweep.finish(reply.ended);
  else sweep.giveUp();
  firing = false;
  await useEverywhere(world, credentials);
  await Promise.all(fired);
  return { sweep, reply, done };
}

async function useEverywhere(world: World, credentials: readonly Credential[]): Promise<void> {
  await Promise.all(credentials.flatMap((credential) => world.wire.targets.map((target) => world.use(credential, target))));
}
