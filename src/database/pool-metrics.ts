import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { Metrics } from '../metrics/index.js';

/** How busy the connections to PostgreSQL are. */
@Injectable()
export class PoolMetrics {
  constructor(@InjectDataSource() dataSource: DataSource, metrics: Metrics) {
    const pool = (): Pool => (dataSource.driver as PostgresDriver).master as Pool;
    metrics.gauge({ name: 'gatehouse_database_pool_connections', help: 'Connections to PostgreSQL that are open.' }, () => pool().totalCount);
    metrics.gauge({ name: 'gatehouse_database_pool_idle_connections', help: 'Open connections that nobody uses.' }, () => pool().idleCount);
    metrics.gauge({ name: 'gatehouse_database_pool_max_connections', help: 'Most connections that may be open.' }, () => pool().options.max);
    metrics.gauge({ name: 'gatehouse_database_pool_waiting_requests', help: 'Who waits for a connection.' }, () => pool().waitingCount);
  }
}
