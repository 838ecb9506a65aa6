import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';

const PATIENCE_MS = 2_000;

/** The parts that an instance needs in order to answer requests. */
export interface Readiness {
  database: 'up' | 'down';
  migrations: 'up' | 'down';
}

/** Whether this instance can do its work. */
@Injectable()
export class ReadinessCheck {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Asks PostgreSQL for the migrations that have run; an answer that takes too long counts as none. */
  async check(): Promise<Readiness> {
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
