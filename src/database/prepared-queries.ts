import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { FirstRow } from './first-row.js';

/** A statement that PostgreSQL parses once a connection: the name must be unique to the text. */
export interface PreparedQuery {
  readonly name: string;
  readonly text: string;
}

type Execute = (query: FirstRow<unknown>, values: undefined, done: (error: Error | null) => void) => void;

/**
 * The short way to PostgreSQL for the one statement behind a request that comes often: straight through the pool, prepared.
 * TypeORM's query runner and entity mapping cost more than the query itself.
 */
@Injectable()
export class PreparedQueries {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * The first row, or `null`.
   * @param values numbers, and text or bytes as PostgreSQL reads them
   */
  first<Row extends object>(query: PreparedQuery, values: readonly (string | number | Buffer | null)[]): Promise<Row | null> {
    const pool = (this.dataSource.driver as PostgresDriver).master as Pool;
    return new Promise((resolve, reject) => {
      pool.connect((connectError, client, release) => {
        if (client === undefined) {
          reject(connectError ?? new Error('no connection'));
          return;
        }
        const execute = client.query.bind(client) as unknown as Execute;
        const statement = new FirstRow<Row>(query, values);
        execute(statement, undefined, (error) => {
          // As the pool does with its own: a connection that a statement failed on is not used again.
          release(error ?? undefined);
          if (error == null) resolve(statement.row);
          else reject(error);
        });
      });
    });
  }
}
