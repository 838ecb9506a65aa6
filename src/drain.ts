import { setImmediate as turnOfTheLoop, setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AgentGateway } from './agents/index.js';
import { Draining } from './health/index.js';
import type { OpenConnections } from './open-connections.js';
import { PasswordHasher } from './users/index.js';

/** What an idle connection may still have on its way. */
const LINGER_MS = 100;
/** Whoever waits in line for a turn at hashing by then is sent away: early enough for the answer to arrive. */
const HASHING_MS = 5_500;
/** Requests that are under way get this long; then their connections are cut. */
const DRAIN_MS = 7_000;
/** What does not end by itself after that, such as a statement that the database does not answer, is left behind. */
const LONGEST_CLOSE_MS = 1_000;

/**
 * Brings an application to its end: no new connections, an answer to every request that has arrived, a goodbye to the
 * agents, then the pool and the timers. Takes at most 8 seconds, and the delay before it.
 * @param delaySeconds how long everything stays open while `/health/ready` says 503 already, so that load balancers have
 *   looked elsewhere by the time that nobody is let in
 */
export async function drain(app: NestFastifyApplication, connections: OpenConnections, delaySeconds: number): Promise<void> {
  const logger = new Logger('Server');
  logger.log(delaySeconds > 0 ? `Stopping; open for another ${delaySeconds} s` : 'Stopping');
  app.get(Draining).begin();
  await delay(delaySeconds * 1000);
  // What waits in the listen queue would be reset: it is taken first. The signal may have come within a turn, so two.
  for (let turn = 0; turn < 2; turn += 1) await turnOfTheLoop();
  const gone = connections.close();
  const timers = [
    setInterval(() => { connections.closeIdle(); }, LINGER_MS),
    setTimeout(() => { app.get(PasswordHasher).sendAway(); }, HASHING_MS),
    setTimeout(() => { connections.cut(); }, DRAIN_MS),
  ];
  await Promise.all([gone, app.get(AgentGateway).sayGoodbye()]);
  for (const timer of timers) clearTimeout(timer);
  const closed = app.close().then(() => true);
  const inTime = await Promise.race([closed, delay(LONGEST_CLOSE_MS, false, { ref: false })]);
  if (!inTime) logger.warn('Connections to the database do not close and are left behind');
}
