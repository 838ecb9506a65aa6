import type { Account } from './account.js';
import { administrate } from './administrator.js';
import { check, type Limits, type Violation } from './checker.js';
import { type CacheMode, type Cluster, untilReady, withCluster } from './cluster.js';
import { ask, makeAccount, type Member, ownersDesk } from './desk.js';
import { checkTheEnd } from './end-check.js';
import { faultsOf } from './faults.js';
import { emptyHistory, type History } from './history.js';
import { livePerson } from './person.js';
import { probe } from './prober.js';
import { Random } from './random.js';
import { storm } from './storm.js';
import { Wire } from './wire.js';
import { World } from './world.js';

const PERSONS = 6;
const DESKS = 2;
const PROBERS = 4;
/** Longer than any answer in the storm may still have to do with. */
const CALM_MS = 2_500;

/** How a run is made. */
export interface ChaosOptions {
  readonly mode: CacheMode;
  readonly seed: string;
  /** How long faults happen, at least: each happens once. */
  readonly seconds: number;
  /** The program. */
  readonly nginx: string;
}

/** What a run brought to light. */
export interface ChaosResult {
  readonly options: ChaosOptions;
  readonly history: History;
  readonly violations: readonly Violation[];
  /** When the storm began. */
  readonly begun: number;
  /** What the instances wrote about a request. */
  readonly linesAbout: (requestId: string) => string[];
}

/** Runs three instances through a storm of faults under a load of mixed traffic, and checks all that the clients saw. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const history = emptyHistory();
  const random = new Random(options.seed);
  return withCluster(options.mode, options.nginx, history, async (cluster) => {
    const wire = new Wire({ name: 'nginx', port: cluster.proxyPort }, cluster.instances, history, random.fork('wire'));
    const world = new World(wire, history, random.fork('clients'));
    const everybody = await gather(world);
    const begun = performance.now();
    try {
      await weather(cluster, world, everybody, begun + options.seconds * 1000);
      await checkTheEnd(world, everybody, cluster.postgres);
      await world.pause(CALM_MS, CALM_MS);
    } catch (error) {
      // What has been seen until then says more than the error itself.
      history.surprises.push({ what: `it came to an early end: ${String(error)}`, target: 'the suite', at: performance.now(), requestId: '' });
    }
    wire.close();
    const violations = check(history, limitsOf(options.mode), performance.now());
    for (const socket of world.sockets) socket.terminate();
    return { options, history, violations, begun, linesAbout: (id) => cluster.instances.flatMap((instance) => instance.linesAbout(id)) };
  });
}

/** Lets faults happen while everybody goes on, until all is calm again and everybody has come to an end. */
async function weather(cluster: Cluster, world: World, everybody: Everybody, until: number): Promise<void> {
  const { wire, history, random } = world;
  const calledOff = new AbortController();
  const clients = play(everybody, world);
  const busy = Promise.all(clients);
  const faults = storm(faultsOf(cluster, wire, random), { until, random: random.fork('storm'), history, calledOff: calledOff.signal });
  try {
    // Whoever fails ends the run, however long the storm would have lasted.
    await Promise.race([busy, faults]);
    history.recoveredAfterMs = await untilReady(cluster);
    await world.pause(CALM_MS, CALM_MS);
    world.over = true;
    await busy;
  } catch (error) {
    world.over = world.abandoned = true;
    throw error;
  } finally {
    calledOff.abort();
    await Promise.allSettled([...clients, faults]);
  }
}

interface Everybody {
  readonly desk: Account;
  readonly desks: readonly Account[];
  readonly persons: readonly Account[];
  readonly others: readonly Account[];
  readonly members: Member[];
}

/** Makes the accounts of all clients, before anything goes wrong. */
async function gather(world: World): Promise<Everybody> {
  const desk = ownersDesk(world);
  world.unlock = async (userId) => { await ask(desk, `POST /users/${userId}/unlock`); };
  const make = (count: number, role: 'owner' | 'member'): Promise<Account[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => makeAccount(desk, role, index % 2 === 0)));
  const [desks, persons] = await Promise.all([make(DESKS, 'owner'), make(PERSONS, 'member')]);
  return { desk, desks, persons, others: [desk, ...desks, ...persons], members: [] };
}

/** Everything that clients do, all at once. */
function play({ desks, persons, members }: Everybody, world: World): Promise<void>[] {
  return [
    // Two at a time for each account, so that what one does crosses what the other does.
    ...persons.flatMap((account, index) => [livePerson(account, index % 3 === 0), livePerson(account, index % 3 === 0)]),
    ...desks.map((desk) => administrate(desk, members)),
    ...Array.from({ length: PROBERS }, () => probe(world)),
  ];
}

function limitsOf(mode: CacheMode): Limits {
  // What Redis remembers of a session is a lease of at most five seconds.
  return { lease: mode === 'redis' ? 6_000 : 0, socket: 2_000, blindSocket: 8_000, stop: 10_000 };
}
