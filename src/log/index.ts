export { createLogger, describeError, isReadable, NestLog } from './logger.js';
export { logRequest, logRequests, requestIdOf } from './request-log.js';
export { traceOf } from './trace-context.js';
