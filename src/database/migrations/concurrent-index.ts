import type { QueryRunner } from 'typeorm';

/**
 * Builds an index while the table goes on being written to: for tables that may be large by then. The migration runs in
 * no transaction (`transaction = false`), and is run again from its beginning if it was interrupted: an index that is
 * there and whole stays, one that was given up half-way makes room.
 * @param on the table and what of it, as after `CREATE INDEX … ON`
 */
export async function buildIndex(queryRunner: QueryRunner, name: string, on: string): Promise<void> {
  const [found] = (await queryRunner.query('SELECT indisvalid AS whole FROM pg_index WHERE indexrelid = to_regclass($1)', [name])) as { whole: boolean }[];
  if (found?.whole === true) return;
  await queryRunner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
  await queryRunner.query(`CREATE INDEX CONCURRENTLY ${name} ON ${on}`);
}
