import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger as Pino } from 'pino';
import type { AppOptions } from './app.module.js';
import { createApp } from './application.js';
import { SetupService, StartNotices } from './bootstrap/index.js';
import { generatedJwtSecret, NativeApi, processesOf, type Settings } from './config/index.js';
import { prepareDatabase, type RequestLimits } from './database/index.js';
import { startWithDatabase } from './database-wait.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './database/embedded/index.js';
import { MountedDialects } from './dialects/index.js';
import { drain } from './drain.js';
import { createLogger } from './log/index.js';
import { OpenConnections } from './open-connections.js';
import { databaseError, listenError } from './start-error.js';
import { SeededAccount } from './users/index.js';

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** A server that listens. */
export interface RunningServer {
  /** Where it is reached, with the port that it got. */
  readonly url: string;
  /** What it listens on: `HOST`, unless that had to be narrowed. */
  readonly host: string;
  readonly nativeApi: string;
  /** The dialects that it speaks, and where. */
  readonly dialects: readonly { readonly name: string; readonly basePath: string }[];
  /** The set-up claim that this start opened, if there is no owner yet. */
  readonly claimToken: string | null;
  /** What the operator should read, a paragraph an entry; a generated secret may be among it, so it never goes to the log. */
  readonly notices: readonly string[];
  /**
   * Answers what is under way, then stops everything, the embedded database last.
   * @param delaySeconds how long it stays open first, while `/health/ready` says 503
   */
  close(delaySeconds?: number): Promise<void>;
}

/** What may be said of a start beside the settings. */
export interface StartOptions extends Pick<AppOptions, 'imports'> {
  /** Called when the embedded database is lost for good. */
  onLost?: (error: Error) => void;
  /** Gives the start up: all is stopped, and the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Starts Gatehouse in this process: the embedded database if there is no other, migrations, bootstrap, and the server.
 * @param settings as `loadSettings` gave them; `WEB_CONCURRENCY` is for `run` alone
 * @param options the product's own modules, whose routes are guarded like Gatehouse's, and what else a program may say
 * @throws EmbeddedPostgresError, BootstrapError, SettingsError, StartError, whose messages are for the operator, or a fault
 *   of the program; all is stopped by then
 */
export async function startServer(settings: Settings, { onLost, signal, ...options }: StartOptions = {}): Promise<RunningServer> {
  const log = await createLogger(settings);
  const embedded = settings.databaseUrl === undefined ? await startEmbedded(settings, log, onLost) : null;
  try {
    const database = embedded?.connection ?? { url: settings.databaseUrl ?? '' };
    const server = await startInstance({ settings: withSecret(settings), database, ...options }, log, signal);
    return { ...server, close: (delaySeconds) => server.close(delaySeconds).finally(() => embedded?.stop()) };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

/** What an instance is made of, but for what the database says of itself. */
export type InstanceOptions = Omit<AppOptions, 'limits'>;

/** Starts the server on a database that somebody else looks after. While that is away, it is waited for. */
export async function startInstance(options: InstanceOptions, log: Pino, signal?: AbortSignal): Promise<RunningServer> {
  signal?.throwIfAborted();
  const { settings, database } = options;
  const start = {
    prepare: () => prepareDatabase(database, settings),
    listen: (limits: RequestLimits) => listening({ ...options, limits }, log),
  };
  const started = startWithDatabase(start, { settings, log, signal }).catch((error: unknown) => { throw databaseError(error, settings); });
  const { app, host } = await unlessAborted(started, signal);
  const connections = new OpenConnections(app.getHttpAdapter().getInstance());
  return {
    url: await app.getUrl(),
    host,
    nativeApi: app.get(NativeApi).path,
    dialects: app.get(MountedDialects).all,
    claimToken: app.get(SetupService).token,
    notices: app.get(StartNotices).all,
    close: (delaySeconds = 0) => drain(app, connections, delaySeconds),
  };
}

interface Listening {
  readonly app: NestFastifyApplication;
  readonly host: string;
}

/** Does not wait for a start that is no longer wanted, such as one whose database does not answer. */
async function unlessAborted(start: Promise<Listening>, signal?: AbortSignal): Promise<Listening> {
  if (signal === undefined) return start;
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => { reject(signal.reason as Error); }, { once: true });
  });
  // What comes up all the same is taken down again.
  void start.then(({ app }) => (signal.aborted ? app.close() : undefined)).catch(() => undefined);
  return Promise.race([start, aborted]);
}

async function listening(options: AppOptions, log: Pino): Promise<Listening> {
  const { settings } = options;
  const app = await createApp(options, log);
  try {
    await app.init();
    const host = await listenHost(app, settings);
    await app.listen(settings.port, host);
    return { app, host };
  } catch (error) {
    await app.close();
    throw listenError(error, settings);
  }
}

/** While an account has the password that is in the documentation, only this machine gets in, whatever `HOST` says. */
async function listenHost(app: NestFastifyApplication, { host, allowDefaultPassword }: Settings): Promise<string> {
  const seeded = await app.get(SeededAccount).find();
  if (seeded?.hasDefaultPassword !== true) return host;
  const notices = app.get(StartNotices);
  const account = `The account ${seeded.user.email ?? seeded.user.username ?? ''} still has its default password`;
  if (allowDefaultPassword) {
    notices.add(`WARNING: ${account.replace('The', 'the')}, and ALLOW_DEFAULT_PASSWORD lets everybody in who can reach this server.`);
    return host;
  }
  const local = LOOPBACK.test(host) ? host : '127.0.0.1';
  notices.add(
    `${account}, so the server listens on this machine alone${local === host ? '' : ` (${local}, not HOST=${host})`}.`,
    'Sign in, change the password and start again; or set ALLOW_DEFAULT_PASSWORD=true.',
  );
  return local;
}

/** The embedded database of the settings' data directory, and its keeper. */
export function startEmbedded(settings: Settings, log: Pino, onLost?: (error: Error) => void): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataDir: settings.dataDir,
    connections: processesOf(settings) * settings.databasePoolSize,
    log: (level, message) => { log[level]({ context: 'Database' }, message); },
    ...(onLost === undefined ? {} : { onLost }),
  });
}

/** With the embedded database, the secret may be ours to generate. */
export function withSecret(settings: Settings): Settings {
  if (settings.jwtSecret !== undefined) return settings;
  const prototype = Object.getPrototypeOf(settings) as object;
  return Object.assign(Object.create(prototype) as Settings, settings, { jwtSecret: generatedJwtSecret(settings.dataDir) });
}
