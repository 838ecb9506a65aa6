import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger as Pino } from 'pino';
import { AuthError } from '../errors/index.js';
import { type ErrorAnswer, renderForeignProblem, renderProblem, retryAfterOf, toAuthError } from '../http/index.js';
import { describeError, traceOf } from '../log/index.js';
import type { MountedDialects } from './mounted-dialects.js';

/**
 * The one place where errors become answers, whoever raised them: handlers, guards, pipes, the parser, the router. A
 * filter of a controller would see neither malformed JSON nor unknown routes.
 */
@Catch()
export class DialectErrorFilter implements ExceptionFilter {
  constructor(
    private readonly log: Pino,
    private readonly dialects: MountedDialects,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(exception, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Renders an error to its caller. */
  answer(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.sent) return;
    const { status, headers, body } = this.render(exception, request);
    void reply.status(status).headers(headers).send(JSON.stringify(body));
  }

  private render(exception: unknown, request: FastifyRequest): ErrorAnswer {
    const at = { path: request.url.split('?', 1)[0] ?? '/', requestId: request.id };
    const error = toAuthError(exception);
    const errors = this.dialects.of(at.path)?.errors;
    if (error === null) {
      const { status, message } = foreign(exception as HttpException);
      return errors?.renderForeign(status, message) ?? renderForeignProblem(status, message, at);
    }
    this.logFault(error, request);
    const answer = errors?.render(error) ?? renderProblem(error, at);
    const retryAfter = retryAfterOf(error);
    if (retryAfter !== undefined) answer.headers['retry-after'] = String(retryAfter);
    return answer;
  }

  /** Faults of the server go into the log in full; the caller learns the request's id. */
  private logFault(error: AuthError, request: FastifyRequest): void {
    if (error.code !== 'internal' && error.code !== 'unavailable') return;
    const line = { requestId: request.id, ...traceOf(request.headers), error: describeError(error.details.cause) };
    if (error.code === 'internal') this.log.error(line, 'a request failed');
    else this.log.warn(line, 'a service is away');
  }
}

/** An error of a product's own module. */
function foreign(exception: HttpException): { status: number; message: string } {
  return { status: exception.getStatus(), message: exception.message };
}
