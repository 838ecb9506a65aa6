import cookie from '@fastify/cookie';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger as Pino } from 'pino';
import { AppModule, type AppOptions } from './app.module.js';
import { DialectErrorFilter, MountedDialects } from './dialects/index.js';
import { ForwardingSeen, watchForwarding } from './doctor/index.js';
import { AuthError } from './errors/index.js';
import { Draining } from './health/index.js';
import { answerUnreadable, governRequestBodies, originForm } from './http/index.js';
import { logRequest, logRequests, NestLog, requestIdOf } from './log/index.js';
import { measureRequests, Metrics } from './metrics/index.js';
import { serveDocument } from './openapi.js';
import { protectAnswers } from './protective-headers.js';
import { readForwardedAddresses, trustedProxies } from './proxies.js';

const BODY_LIMIT_BYTES = 1024 * 1024;
/** How often connections are looked at that may have taken too long; Node's own default. */
const LONGEST_LOOK_MS = 30_000;
const CORS_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The whole application, with all that happens to a request before and after its handler; it does not listen yet. */
export async function createApp(options: AppOptions, log: Pino): Promise<NestFastifyApplication> {
  const { settings } = options;
  const filter = new DialectErrorFilter(log, new MountedDialects(settings));
  const requestTimeout = settings.requestTimeout * 1000;
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    // Fastify would leave out what Node has by itself: whoever never ends a request would hold a connection for ever.
    requestTimeout,
    http: { requestTimeout, connectionsCheckingInterval: Math.min(LONGEST_LOOK_MS, requestTimeout / 2) },
    clientErrorHandler: answerUnreadable,
    trustProxy: trustedProxies(settings.trustProxy),
    genReqId: requestIdOf,
    rewriteUrl: ({ url = '/' }) => originForm(url),
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      // No hook runs for these.
      void reply.header('x-request-id', request.id);
      reply.raw.once('finish', () => {
        logRequest(log, request, reply);
        measureUnknown(request, reply);
      });
      filter.answer(new AuthError('malformed_body', { detail: 'The URL could not be read.', cause: error }), request, reply);
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(options), adapter, {
    logger: new NestLog(log),
    abortOnError: false,
  });
  app.useGlobalFilters(filter);
  watchForwarding(adapter.getInstance(), app.get(ForwardingSeen), settings);
  readForwardedAddresses(adapter.getInstance());
  logRequests(adapter.getInstance(), log);
  const measureUnknown = measureRequests(adapter.getInstance(), app.get(Metrics));
  protectAnswers(adapter.getInstance(), settings);
  governRequestBodies(adapter.getInstance());
  await app.register(cookie);
  const draining = app.get(Draining);
  adapter.getInstance().addHook('onSend', (_request: FastifyRequest, reply: FastifyReply, payload: unknown, done) => {
    if (draining.hasBegun) void reply.header('connection', 'close');
    done(null, payload);
  });
  if (settings.corsOrigin.length > 0) {
    // The methods must be named: @fastify/cors allows but GET, HEAD and POST by itself.
    const exposedHeaders = ['Retry-After', 'WWW-Authenticate', 'X-Request-Id'];
    // Strictly, an OPTIONS that is no preflight (a health check's, a person's) would get a 400 in plain text.
    const strictPreflight = false;
    app.enableCors({ origin: [...settings.corsOrigin], credentials: true, methods: CORS_METHODS, exposedHeaders, strictPreflight });
  }
  if (settings.docsEnabled) serveDocument(app);
  return app;
}
