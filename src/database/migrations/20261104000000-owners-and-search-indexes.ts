import { type MigrationInterface, QueryFailedError, type QueryRunner } from 'typeorm';
import { buildIndex } from './concurrent-index.js';

const SEARCHED = String.raw`(coalesce(email_folded, '') || E'\n' || coalesce(username_folded, '') || E'\n' || lower(coalesce(name, '')))`;

/**
 * Indexes by which the owners and what a search is for are found among a million accounts. A search goes by trigrams
 * where the extension pg_trgm can be had, and by single characters, which takes longer, where not.
 */
export class OwnersAndSearchIndexes20261104000000 implements MigrationInterface {
  readonly name = 'OwnersAndSearchIndexes20261104000000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await buildIndex(queryRunner, 'users_owners_idx', "users (id) WHERE role = 'owner'");
    // fastupdate would put new accounts on a list that every search has to read.
    await buildIndex(
      queryRunner,
      'users_searched_characters_idx',
      `users USING gin (string_to_array(${SEARCHED}, NULL)) WITH (fastupdate = off)`,
    );
    const trigrams = await findTrigramOperators(queryRunner);
    if (trigrams === null) return;
    await buildIndex(
      queryRunner,
      'users_searched_trigrams_idx',
      `users USING gin (${SEARCHED} ${trigrams}) WITH (fastupdate = off)`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'DROP INDEX IF EXISTS users_searched_trigrams_idx; DROP INDEX users_searched_characters_idx, users_owners_idx',
    );
  }
}

/**
 * The name of pg_trgm's operator class, in whichever schema it is. Any owner of a database may install the extension;
 * `null` where it is not to be had, or whoever we are may not.
 */
async function findTrigramOperators(queryRunner: QueryRunner): Promise<string | null> {
  try {
    await queryRunner.query('CREATE EXTENSION IF NOT EXISTS pg_trgm');
  } catch (error) {
    // Whatever the reason is (it is not installed, not allowed, not ours to install): searches work without it.
    if (!(error instanceof QueryFailedError)) throw error;
  }
  const [found] = (await queryRunner.query(
    `SELECT format('%I.%I', n.nspname, c.opcname) AS operators
       FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace JOIN pg_am a ON a.oid = c.opcmethod
      WHERE c.opcname = 'gin_trgm_ops' AND a.amname = 'gin' AND has_schema_privilege(n.oid, 'USAGE')`,
  )) as { operators: string }[];
  return found?.operators ?? null;
}
