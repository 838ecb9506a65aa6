import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { Execution } from './execution.js';

/** A statement that PostgreSQL parses once a connection: the name must be unique to the text. */
export interface PreparedQuery {
  readonly name: string;
  readonly text: string;
}

/** Numbers, text or bytes as PostgreSQL reads them, and arrays of text. */
export type Value = string | number | Buffer | null | readonly string[];

/** Called once, with the rows or with what went wrong. */
type Answered<Row> = (error: Error | null, rows: readonly Row[]) => void;

type Execute = (query: Execution<unknown>, values: undefined, done: (error: Error | null) => void) => void;

/**
 * The short way to PostgreSQL for the one statement behind a request that comes often: straight through the pool, prepared.
 * TypeORM's query runner and entity mapping cost more than the query itself.
 */
@Injectable()
export class PreparedQueries {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** The first row, or `null`. */
  first<Row extends object>(query: PreparedQuery, values: readonly Value[]): Promise<Row | null> {
    return new Promise((resolve, reject) => {
      this.execute<Row>(query, values, (error, [row = null]) => {
        if (error === null) resolve(row);
        else reject(error);
      });
    });
  }

  /** All rows. */
  all<Row extends object>(query: PreparedQuery, values: readonly Value[]): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      this.execute<Row>(query, values, (error, rows) => {
        if (error === null) resolve(rows);
        else reject(error);
      });
    });
  }

  private execute<Row extends object>(query: PreparedQuery, values: readonly Value[], answered: Answered<Row>): void {
    const pool = (this.dataSource.driver as PostgresDriver).master as Pool;
    pool.connect((connectError, client, release) => {
      if (client === undefined) {
        answered(connectError ?? new Error('no connection'), []);
        return;
      }
      const execute = client.query.bind(client) as unknown as Execute;
      const statement = new Execution<Row>(query, values);
      execute(statement, undefined, (error) => {
        // As the pool does with its own: a connection that a statement failed on is not used again.
        release(error ?? undefined);
        answered(error ?? null, statement.rows);
      });
    });
  }
}
