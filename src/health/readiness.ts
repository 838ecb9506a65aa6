import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { RedisConnection } from '../redis/index.js';

const PATIENCE_MS = 1_900;

/** The parts that an instance works with; one that is `down` it cannot do without. */
export interface Readiness {
  database: 'up' | 'down';
  migrations: 'up' | 'down';
  /** Redis, where it is used. */
  cache?: 'up' | 'degraded';
}

/** What an instance cannot do without is there; Redis it can do without, if more slowly. */
export function isReady(checks: Readiness): boolean {
  return Object.values(checks).every((state) => state !== 'down');
}

/** Whether this instance can do its work. */
@Injectable()
export class ReadinessCheck {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(RedisConnection) private readonly redis: RedisConnection | null,
  ) {}

  /** Asks PostgreSQL for the migrations that have run; an answer that takes too long counts as none. */
  async check(): Promise<Readiness> {
    return { ...(await this.database()), ...(this.redis === null ? {} : { cache: this.redis.isUp ? 'up' : 'degraded' }) };
  }

  private async database(): Promise<Pick<Readiness, 'database' | 'migrations'>> {
    try {
      const applied = await within(PATIENCE_MS, this.dataSource.query<{ name: string }[]>('SELECT name FROM migrations'));
      const names = new Set(applied.map(({ name }) => name));
      const complete = this.dataSource.migrations.every(({ name }) => name !== undefined && names.has(name));
      return { database: 'up', migrations: complete ? 'up' : 'down' };
    } catch {
      return { database: 'down', migrations: 'down' };
    }
  }
}

function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => { reject(new Error('too late')); }, milliseconds);
  });
  return Promise.race([work, late]).finally(() => { clearTimeout(timer); });
}
