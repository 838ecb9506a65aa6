import { type Fault, type InspectedSettings, type Settings } from '../config/index.js';
import { prepareDatabase } from '../database/index.js';
import { bySeverity, examineDatabase, examineSettings, type Examination, type Finding } from '../doctor/index.js';
import { isAway } from '../errors/index.js';
import { Metrics } from '../metrics/index.js';
import { OwnerPasswords, PasswordHasher } from '../users/index.js';
import type { Cli } from './cli.js';
import { openDatabase } from './database.js';

/** Nobody waits behind this process: it tries more than a server would, and does not stop half-way. */
const GUESSING = { mostCommon: 20, atOnce: 3, patienceMs: Infinity };

/** What the way to a database says that cannot be used, in words for people. */
const UNREACHABLE = new Set(['StartError', 'EmbeddedPostgresError', 'DataDirInUseError', 'DatabaseRefusedError', 'QueryFailedError']);

/** Everything that is wrong with an installation, as far as it can be looked at. Changes nothing. */
export async function diagnose(cli: Cli, { settings, faults }: InspectedSettings, tryPasswords: boolean): Promise<Examination> {
  const ofSettings = [...faults.map(refused), ...(await examineSettings(settings))];
  const { findings, complete } = await lookAtDatabase(cli, settings, tryPasswords);
  return { findings: [...ofSettings, ...findings].sort(bySeverity), complete };
}

function refused({ name, message }: Fault): Finding {
  return {
    id: 'setting-refused',
    severity: 'error',
    title: message,
    meaning: 'The server does not start with it. What else was found was looked for without it.',
    remedy: `Set ${name} as it is wanted, or take it away; gatehouse start --help says what each setting takes.`,
  };
}

async function lookAtDatabase(cli: Cli, settings: Settings, tryPasswords: boolean): Promise<Examination> {
  let examination: Examination = { findings: [], complete: false };
  try {
    await cli.reaching(settings, async () => {
      const database = await openDatabase(settings, cli.out);
      try {
        await prepareDatabase(database.target, settings, async (dataSource) => {
          const passwords = new OwnerPasswords(dataSource, new PasswordHasher(settings, new Metrics()));
          examination = await examineDatabase(settings, { dataSource, passwords, guessing: tryPasswords ? GUESSING : null });
        });
      } finally {
        await database.close();
      }
    });
    return examination;
  } catch (error) {
    if (!(error instanceof Error) || !(UNREACHABLE.has(error.name) || isAway(error))) throw error;
    return { findings: [unreachable(error.message)], complete: false };
  }
}

function unreachable(reason: string): Finding {
  return {
    id: 'database-unreachable',
    severity: 'error',
    title: `The database could not be looked at: ${reason}`,
    meaning: 'What it would have shown is not known: owners, migrations, connections, clock, web hooks.',
    remedy: 'See to the database or to DATABASE_URL and DATA_DIR, and ask again.',
  };
}
