import type { Settings } from '../config/index.js';
import { migrate, prepareDatabase } from '../database/index.js';
import { openDatabase } from './database.js';
import type { Output } from './output.js';

/** Runs the migrations that have not run yet. @returns their names */
export async function migrateDatabase(settings: Settings, out: Output): Promise<string[]> {
  const database = await openDatabase(settings, out, true);
  let ran: string[] = [];
  try {
    await prepareDatabase(database.target, settings, async (dataSource) => { ran = await migrate(dataSource); });
  } finally {
    await database.close();
  }
  return ran;
}
