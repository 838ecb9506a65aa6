import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool, QueryResultRow } from 'pg';
import { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

/** A statement that PostgreSQL parses once a connection: the name must be unique to the text. */
export interface PreparedQuery {
  readonly name: string;
  readonly text: string;
}

/**
 * The short way to PostgreSQL for the one statement behind a guarded request: straight through the pool, prepared.
 * TypeORM's query runner and entity mapping cost more than the query itself.
 */
@Injectable()
export class PreparedQueries {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** The first row, or `null`. */
  async first<Row extends QueryResultRow>(query: PreparedQuery, values: unknown[]): Promise<Row | null> {
    const pool = (this.dataSource.driver as PostgresDriver).master as Pool;
    const result = await pool.query<Row>({ name: query.name, text: query.text, values });
    return result.rows[0] ?? null;
  }
}
