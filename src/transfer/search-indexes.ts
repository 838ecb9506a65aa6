import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { inUnhurriedTransaction } from '../database/index.js';

/** The indexes behind the search of accounts, of which the first may not be there. */
const INDEXES = ['users_searched_trigrams_idx', 'users_searched_characters_idx'];

/** SQLSTATE insufficient_privilege and lock_not_available. */
const LEFT_ALONE = ['42501', '55P03'];
const MOST_TRIES = 10;
const TRY_AGAIN_AFTER_MS = 1_000;

/**
 * Has the indexes of the search take new accounts in bulk (`fastupdate`), which is three times as quick where very many
 * come. Whoever is not the indexes' owner goes on without. Searches find everything meanwhile, only not as quickly; should
 * it stay so, because the process is killed or the database goes away, the next import of so many brings it back.
 * @returns brings back what was before, once the accounts are committed; what the import comes to does not depend on it
 */
export async function takeInBulk(dataSource: DataSource): Promise<() => Promise<void>> {
  if (!(await change(dataSource, (index) => `ALTER INDEX IF EXISTS ${index} SET (fastupdate = on)`))) return () => Promise.resolve();
  return async () => {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const done = await change(dataSource, (index) => `
        ALTER INDEX IF EXISTS ${index} SET (fastupdate = off);
        SELECT gin_clean_pending_list(to_regclass('${index}')) WHERE to_regclass('${index}') IS NOT NULL`).catch(() => false);
      if (done) return;
      await delay(TRY_AGAIN_AFTER_MS);
    }
    new Logger('Import').warn('The indexes of the search are not as they were: ALTER INDEX … SET (fastupdate = off) on '
      + `${INDEXES.join(' and ')} would make searches quicker.`);
  };
}

/** Whoever uses the table holds the index for the time of a transaction, and would wait behind us for as long as we wait. */
async function change(dataSource: DataSource, statement: (index: string) => string): Promise<boolean> {
  try {
    await inUnhurriedTransaction(dataSource, async (manager) => {
      await manager.query("SET LOCAL lock_timeout = '300ms'");
      for (const index of INDEXES) await manager.query(statement(index));
    });
    return true;
  } catch (error) {
    if (LEFT_ALONE.includes((error as { code?: string }).code ?? '')) return false;
    throw error;
  }
}
