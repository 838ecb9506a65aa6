import type { Server } from 'node:http';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger as Pino } from 'pino';
import { AppModule, type AppOptions } from './app.module.js';
import { SetupService, StartNotices } from './bootstrap/index.js';
import { generatedJwtSecret, NativeApi, type Settings } from './config/index.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './database/embedded/index.js';
import { DialectErrorFilter, MountedDialects } from './dialects/index.js';
import { AuthError } from './errors/index.js';
import { createLogger, logRequest, logRequests, NestLog, requestIdOf } from './log/index.js';
import { serveDocument } from './openapi.js';
import { readForwardedAddresses, trustedProxies } from './proxies.js';
import { databaseError, listenError } from './start-error.js';
import { SeededAccount } from './users/index.js';

const BODY_LIMIT_BYTES = 1024 * 1024;
/** When the server stops, requests that are under way get this long; then their connections are cut. */
const DRAIN_MS = 8_000;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;
const CORS_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

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
 * @param options the product's own modules, whose routes are guarded like Gatehouse's
 * @throws EmbeddedPostgresError, BootstrapError, SettingsError, StartError, whose messages are for the operator, or a fault
 *   of the program; all is stopped by then
 */
export async function startServer(
  settings: Settings,
  options: Pick<AppOptions, 'imports'> & { onLost?: (error: Error) => void } = {},
): Promise<RunningServer> {
  const log = createLogger(settings);
  const embedded = settings.databaseUrl === undefined ? await startEmbedded(settings, log, options.onLost) : null;
  try {
    const database = embedded?.connection ?? { url: settings.databaseUrl ?? '' };
    const app = await listening({ settings: withSecret(settings), database, ...options }, log);
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
    throw error;
  }
}

async function listening(options: AppOptions, log: Pino): Promise<NestFastifyApplication> {
  const { settings } = options;
  const app = await createApp(options, log).catch((error: unknown) => { throw databaseError(error, settings); });
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

async function createApp(options: AppOptions, log: Pino): Promise<NestFastifyApplication> {
  const { settings } = options;
  const filter = new DialectErrorFilter(log, new MountedDialects(settings));
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: trustedProxies(settings.trustProxy),
    genReqId: requestIdOf,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      // No hook runs for these.
      void reply.header('x-request-id', request.id);
      reply.raw.once('finish', () => { logRequest(log, request, reply); });
      filter.answer(new AuthError('malformed_body', { detail: 'The URL could not be read.', cause: error }), request, reply);
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(options), adapter, {
    logger: new NestLog(log),
    abortOnError: false,
  });
  app.useGlobalFilters(filter);
  // Fastify reads text/plain unasked; here it is a media type like any other that is not accepted.
  adapter.getInstance().removeContentTypeParser('text/plain');
  readForwardedAddresses(adapter.getInstance());
  logRequests(adapter.getInstance(), log);
  takeEmptyBodies(app);
  acceptBodies(app);
  await app.register(cookie);
  // No upgrade-insecure-requests: it breaks Swagger UI over plain HTTP away from localhost.
  await app.register(helmet, { contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } });
  adapter.getInstance().addHook('onSend', (request: FastifyRequest, reply: FastifyReply, payload: unknown, done) => {
    // Answers are about one caller (RFC 9111 §5.2.2.5); the pages of Swagger UI are not.
    if (!request.url.startsWith('/docs')) void reply.header('cache-control', 'no-store');
    done(null, payload);
  });
  if (settings.corsOrigin.length > 0) {
    // The methods must be named: @fastify/cors allows but GET, HEAD and POST by itself.
    const exposedHeaders = ['Retry-After', 'WWW-Authenticate', 'X-Request-Id'];
    app.enableCors({ origin: [...settings.corsOrigin], credentials: true, methods: CORS_METHODS, exposedHeaders });
  }
  if (settings.docsEnabled) serveDocument(app);
  return app;
}

/**
 * A request without a body has none, whatever media type it names: many clients send the header with every request, and
 * Fastify would refuse no text at all as bad JSON.
 */
function takeEmptyBodies(app: NestFastifyApplication): void {
  app.getHttpAdapter().getInstance().addHook('preParsing', (request: FastifyRequest, _reply, payload, done) => {
    const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
    if (length === '0' && encoding === undefined) delete request.headers['content-type'];
    done(null, payload);
  });
}

/**
 * A form is JSON's equal for the login alone; everywhere else it is a media type that is not accepted. A route that takes
 * no body at all does not look at one either: clients that always say `application/json` and send nothing are common.
 */
function acceptBodies(app: NestFastifyApplication): void {
  app.getHttpAdapter().getInstance().addHook('preParsing', (request: FastifyRequest, _reply, payload, done) => {
    const form = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
    const { acceptsForm, ignoresBody } = request.routeOptions.config as { acceptsForm?: boolean; ignoresBody?: boolean };
    if (ignoresBody) {
      for (const name of ['content-type', 'content-length', 'transfer-encoding']) Reflect.deleteProperty(request.raw.headers, name);
      done(null, payload);
    } else if (form && !acceptsForm && !request.is404) done(new AuthError('unsupported_media_type'), payload);
    else done(null, payload);
  });
}
