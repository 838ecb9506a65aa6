import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Settings } from '../config/index.js';
import { Housekeeping } from '../housekeeping/index.js';
import { ForwardingSeen } from './forwarding.js';

const EVERY_MS = 30_000;
/** Who has not been heard of for so long was killed. */
const LEASE = "interval '90 seconds'";
/** Nobody waits longer for a database that is away when the server stops. */
const LONGEST_GOODBYE_MS = 500;
const DAY_SECONDS = 86_400;

/** What a server that runs says of itself. */
export interface RunningInstance {
  readonly id: string;
  readonly database_pool_size: number;
  readonly principal_cache: string;
  readonly forwarded_by: string | null;
  readonly came_past_proxies: string | null;
}

/** Says that this process runs on the database, and what its requests show: for whoever looks at it from elsewhere. */
@Injectable()
export class ServerInstances implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ServerInstances.name);
  private readonly id = uuidv7();
  private timer: NodeJS.Timeout | undefined;
  private said: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly settings: Settings,
    private readonly forwarding: ForwardingSeen,
    housekeeping: Housekeeping,
  ) {
    housekeeping.add({ table: 'server_instances', key: 'id', since: 'seen_at', keptSeconds: DAY_SECONDS });
  }

  onApplicationBootstrap(): void {
    this.forwarding.onChange(() => { this.say(); });
    this.timer = setInterval(() => { this.say(); }, EVERY_MS).unref();
    this.say();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    const gone = this.said.then(() => this.dataSource.query('DELETE FROM server_instances WHERE id = $1', [this.id])).catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([gone, new Promise<void>((resolve) => { timer = setTimeout(resolve, LONGEST_GOODBYE_MS); })]);
    clearTimeout(timer);
  }

  /** One at a time. What could not be said is said the next time: who is away is not seen until then. */
  private say(): void {
    if (this.stopping) return;
    this.said = this.said.then(() => this.write()).catch((error: unknown) => {
      this.logger.debug(`This instance could not be noted: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  private async write(): Promise<void> {
    const { databasePoolSize, principalCache } = this.settings;
    await this.dataSource.query(
      `INSERT INTO server_instances (id, database_pool_size, principal_cache, forwarded_by, came_past_proxies) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (id) DO UPDATE SET seen_at = now(), forwarded_by = excluded.forwarded_by, came_past_proxies = excluded.came_past_proxies`,
      [this.id, databasePoolSize, principalCache, this.forwarding.forwardedBy, this.forwarding.camePastProxies],
    );
  }
}

/** The server processes that run on the database at this moment, whichever machine they are on. */
export function runningInstances(dataSource: DataSource): Promise<RunningInstance[]> {
  return dataSource.query<RunningInstance[]>(
    `SELECT id, database_pool_size, principal_cache, forwarded_by, came_past_proxies
       FROM server_instances WHERE seen_at > now() - ${LEASE} ORDER BY id`,
  );
}
