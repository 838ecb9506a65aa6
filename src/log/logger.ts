import { isatty } from 'node:tty';
import type { LoggerService } from '@nestjs/common';
import { type Logger as Pino, pino } from 'pino';
import type { Settings } from '../config/index.js';
import { GatheredLines } from './gathered-lines.js';

/** Whether log lines are for people: a terminal, unless `LOG_FORMAT` says otherwise. */
export function isReadable(settings: Settings): boolean {
  return settings.logFormat === 'auto' ? isatty(1) : settings.logFormat === 'pretty';
}

/** The log of the process: JSON, a line an event, or the same for a person to read. */
export async function createLogger(settings: Settings): Promise<Pino> {
  const options = { level: settings.logLevel, base: null, formatters: { level: (label: string) => ({ level: label }) } };
  if (!isReadable(settings)) return pino({ ...options, timestamp: time }, new GatheredLines(pino.destination(1)));
  // Not loaded where nobody reads along.
  const { PinoPretty } = await import('pino-pretty');
  return pino(
    options,
    PinoPretty({
      sync: true,
      colorize: isatty(1),
      translateTime: 'SYS:HH:MM:ss',
      ignore: 'context',
      messageFormat: '{if context}{context}: {end}{msg}',
      singleLine: true,
    }),
  );
}

let lastMoment = 0;
let lastTime = '';

/** The time of a line, in ISO 8601; many lines have the same. */
function time(): string {
  const now = Date.now();
  if (now !== lastMoment) {
    lastMoment = now;
    lastTime = `,"time":"${new Date(now).toISOString()}"`;
  }
  return lastTime;
}

/** What is told of an error: never its other properties, among which drivers keep statements and their values. */
export function describeError(error: unknown): { name: string; message: string; stack?: string | undefined; code?: string } {
  if (!(error instanceof Error)) return { name: 'unknown', message: typeof error === 'string' ? error : 'not an Error' };
  const { code } = error as { code?: unknown };
  return { name: error.name, message: error.message, stack: error.stack, ...(typeof code === 'string' ? { code } : {}) };
}

/** Nest's own messages, on the same log. Its tale of modules and routes at start is for debugging. */
export class NestLog implements LoggerService {
  constructor(private readonly pino: Pino) {}

  log(message: unknown, ...rest: unknown[]): void {
    const context = contextOf(rest);
    if (NARRATORS.has(context ?? '')) this.pino.debug({ context }, String(message));
    else this.pino.info({ context }, String(message));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.pino.warn({ context: contextOf(rest) }, String(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    if (START_FAULTS.has(contextOf(rest) ?? '')) return;
    const error = message instanceof Error ? { error: describeError(message) } : {};
    this.pino.error({ context: contextOf(rest), ...error }, message instanceof Error ? message.message : String(message));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.pino.debug({ context: contextOf(rest) }, String(message));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.pino.trace({ context: contextOf(rest) }, String(message));
  }
}

const NARRATORS = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

/** Why a start failed is told once, in words, by whoever started it. */
const START_FAULTS = new Set(['ExceptionHandler', 'TypeOrmModule']);

/** Nest passes the context last. */
function contextOf(rest: unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}
