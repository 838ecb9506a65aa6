import type { Server } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger as Pino } from 'pino';
import type { AppOptions } from './app.module.js';
import { createApp } from './application.js';
import { SetupService, StartNotices } from './bootstrap/index.js';
import { generatedJwtSecret, NativeApi, type Settings } from './config/index.js';
import { type DatabaseTarget, prepareDatabase, type RequestLimits } from './database/index.js';
import { startWithDatabase } from './database-wait.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './database/embedded/index.js';
import { MountedDialects } from './dialects/index.js';
import { createLogger } from './log/index.js';
import { databaseError, listenError } from './start-error.js';
import { SeededAccount } from './users/index.js';

/** When the server stops, requests that are under way get this long; then their connections are cut. */
const DRAIN_MS = 8_000;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** What a program may say about the start. */
export interface StartOptions extends Pick<AppOptions, 'imports'> {
  /** Called when the embedded database is lost for good. */
  onLost?: (error: Error) => void;
  /** Ends a start that is waiting for its database. */
  signal?: AbortSignal;
}

/** A server that listens. */
export interface RunningServer {
  /** Where it is reached, with the port that it got. */
  readonly url: string;
  readonly nativeApi: string;
  /** The dialects that it speaks, and where. */
  readonly dialects: readonly { readonly name: string; readonly basePath: string }[];
  /** The set-up claim that this start opened, if there is no owner yet. */
  readonly claimToken: string | null;
  /** What the operator should read, a paragraph an entry; a generated secret may be among it, so it never goes to the log. */
  readonly notices: readonly string[];
  /** Answers what is under way, then stops everything, the embedded database last. */
  close(): Promise<void>;
}

/**
 * Starts Gatehouse: the embedded database if there is no other, migrations, bootstrap, and the server.
 * @param settings as `loadSettings` gave them
 * @param options the product's own modules, whose routes are guarded like Gatehouse's, and what else a program may say
 * @throws EmbeddedPostgresError, BootstrapError, SettingsError, StartError, whose messages are for the operator, StartStopped
 *   after the signal, or a fault of the program; all is stopped by then
 */
export async function startServer(
  settings: Settings,
  { onLost, signal, ...options }: StartOptions = {},
): Promise<RunningServer> {
  const log = createLogger(settings);
  const embedded = settings.databaseUrl === undefined ? await startEmbedded(settings, log, onLost) : null;
  try {
    const database = embedded?.connection ?? { url: settings.databaseUrl ?? '' };
    const start = {
      prepare: () => prepare(database, settings),
      listen: (limits: RequestLimits) => listening({ settings: withSecret(settings), database, limits, ...options }, log),
    };
    const app = await startWithDatabase(start, { settings, log, signal });
    return {
      url: await app.getUrl(),
      nativeApi: app.get(NativeApi).path,
      dialects: app.get(MountedDialects).all,
      claimToken: app.get(SetupService).token,
      notices: app.get(StartNotices).all,
      close: () => drain(app).finally(() => embedded?.stop()),
    };
  } catch (error) {
    await embedded?.stop();
    throw databaseError(error, settings);
  }
}

async function prepare(target: DatabaseTarget, settings: Settings): Promise<RequestLimits> {
  const { databaseConnectTimeoutMs: connectTimeoutMs, databaseQueryTimeoutMs: queryTimeoutMs, databasePooler } = settings;
  const wanted = databasePooler === 'auto' ? databasePooler : databasePooler === 'true';
  const { pooler } = await prepareDatabase({ target, connectTimeoutMs, queryTimeoutMs, pooler: wanted });
  return { connectTimeoutMs, queryTimeoutMs, pooler };
}

async function listening(options: AppOptions, log: Pino): Promise<NestFastifyApplication> {
  const { settings } = options;
  const app = await createApp(options, log);
  try {
    await app.init();
    await app.listen(settings.port, await listenHost(app, settings));
    return app;
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

/** Answers what is under way; a caller that never finishes its request does not hold the stop up for ever. */
async function drain(app: NestFastifyApplication): Promise<void> {
  const server: Server = app.getHttpServer();
  const timer = setTimeout(() => { server.closeAllConnections(); }, DRAIN_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}

function startEmbedded(settings: Settings, log: Pino, onLost?: (error: Error) => void): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataDir: settings.dataDir,
    log: (level, message) => { log[level]({ context: 'Database' }, message); },
    ...(onLost === undefined ? {} : { onLost }),
  });
}

/** With the embedded database, the secret may be ours to generate. */
function withSecret(settings: Settings): Settings {
  if (settings.jwtSecret !== undefined) return settings;
  const prototype = Object.getPrototypeOf(settings) as object;
  return Object.assign(Object.create(prototype) as Settings, settings, { jwtSecret: generatedJwtSecret(settings.dataDir) });
}
