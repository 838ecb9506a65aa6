import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { AwayError } from '../errors/index.js';
import { GivenUpError, type Pace } from './connection.js';

type Connected = (error: Error | undefined, client: PoolClient | undefined, release: (error?: Error | boolean) => void) => void;

/** How long after a vain attempt a silent server is asked again. */
const ASK_AGAIN_AFTER_MS = 500;
/** What the pool and the driver say when the server let nobody in; not when all connections were in use for too long. */
const NOT_LET_IN = /connection timeout|timeout expired/;

/**
 * A pool of connections that refuses at once while PostgreSQL is silent. A server that is frozen, or that the network
 * swallowed, neither answers nor refuses: each caller in turn would wait until its time is up, and those who wait for one
 * another (for a turn at hashing) would wait many times that. So one connection at a time asks whether it is back, and
 * everybody else is told without waiting.
 *
 * Silent means that nothing was answered on any connection while somebody waited in vain. A server that is slow, or that
 * refuses, is not.
 */
export class PacedPool extends Pool {
  private readonly logger = new Logger('Database');
  private readonly pace: Pace;
  private silent = false;

  constructor(config: PoolConfig & { pace: Pace }) {
    super(config);
    this.pace = config.pace;
    this.on('release', (error: unknown) => { if (error instanceof GivenUpError && error.silent) this.fallSilent(); });
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<PoolClient> | undefined {
    if (callback !== undefined) {
      this.open(callback);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.open((error, client) => {
        if (client === undefined) reject(error ?? new AwayError('no connection'));
        else resolve(client);
      });
    });
  }

  private open(callback: Connected): void {
    if (this.silent) {
      process.nextTick(callback, new AwayError('PostgreSQL does not answer'), undefined, () => undefined);
      return;
    }
    const { answers } = this.pace;
    super.connect((error, client, release) => {
      if (error === undefined) {
        callback(undefined, client, release as (error?: Error | boolean) => void);
        return;
      }
      if (NOT_LET_IN.test(error.message) && this.pace.answers === answers) this.fallSilent();
      // Whatever the reason (a password that was changed, a certificate that ran out): there is no database for now.
      callback(new AwayError(error.message, { cause: error }), undefined, () => undefined);
    });
  }

  private fallSilent(): void {
    if (this.silent || this.ending) return;
    this.silent = true;
    this.logger.warn('PostgreSQL does not answer; requests that need it are refused until it does');
    this.dropIdle();
    void this.untilAnswered();
  }

  /** The connections that are not in use: what was swallowed there would be found out only by using them. */
  private dropIdle(): void {
    for (let left = this.idleCount; left > 0; left -= 1) {
      super.connect((_error, client, release?: (error?: boolean) => void) => {
        // There is none where the wait for a connection ran out.
        release?.(true);
        client?.connection.stream.destroy();
      });
    }
  }

  private async untilAnswered(): Promise<void> {
    while (!this.ending && !(await this.isAnswering())) await delay(ASK_AGAIN_AFTER_MS, undefined, { ref: false });
    this.silent = false;
    if (!this.ending) this.logger.log('PostgreSQL answers again');
  }

  /** A pooler lets anybody in while the server behind it is away, so a statement has to be answered too. */
  private async isAnswering(): Promise<boolean> {
    const client = await super.connect().catch(() => null);
    if (client === null) return false;
    const answered = await client.query('SELECT 1').then(() => true, () => false);
    client.release(!answered);
    return answered;
  }
}
