import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import type { Settings } from './config/index.js';

/**
 * What Helmet sets on every answer. It depends on nothing in the request, so Helmet is asked once; asked each time it
 * would put the content security policy together again, and that costs more than the whole check of a credential.
 */
function helmetHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  const answer = {
    setHeader: (name: string, value: string) => { headers[name.toLowerCase()] = value; },
    removeHeader: () => undefined,
  };
  // No upgrade-insecure-requests: it breaks Swagger UI over plain HTTP away from localhost.
  const setHeaders = helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } });
  setHeaders({} as IncomingMessage, answer as unknown as ServerResponse, (error) => { if (error !== undefined) throw error as Error; });
  return headers;
}

/** Swagger UI, which has files below it. */
const PAGES = /^\/docs(?:[/?]|$)/;

/** Sends the headers along that keep browsers and caches from doing harm. */
export function protectAnswers(server: FastifyInstance, { docsEnabled }: Settings): void {
  const forPages = helmetHeaders();
  // Answers are about one caller (RFC 9111 §5.2.2.5); the pages of Swagger UI are not.
  const forAnswers = { ...forPages, 'cache-control': 'no-store' };
  server.addHook('onRequest', (request, reply, done) => {
    void reply.headers(docsEnabled && PAGES.test(request.url) ? forPages : forAnswers);
    done();
  });
}
