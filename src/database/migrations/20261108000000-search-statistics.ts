import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whether a search goes by trigrams or through the newest accounts depends on how many the planner takes it to find. A
 * sample of a hundred texts cannot tell one account in a hundred from one in a thousand; a thousand can, well enough for
 * either way to stay short.
 */
export class SearchStatistics20261108000000 implements MigrationInterface {
  readonly name = 'SearchStatistics20261108000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await this.setTarget(queryRunner, 1_000);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await this.setTarget(queryRunner, -1);
  }

  /** The index is not there where the extension is not to be had. */
  private async setTarget(queryRunner: QueryRunner, target: number): Promise<void> {
    await queryRunner.query(`ALTER INDEX IF EXISTS users_searched_trigrams_idx ALTER COLUMN 1 SET STATISTICS ${String(target)}; ANALYZE users`);
  }
}
