import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, destination, type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import { build as prettyStream } from 'pino-pretty';
import type { Config } from '../config/config.js';
import type { Instance } from '../config/instance.js';
import { activeTrace } from '../kernel/tracing.js';
import { boundedFields, boundedText } from './log-fields.js';
import { redactor } from './redact.js';

/** Where Nest tells of its own doings, a line per route and module: of use to who debugs Tallylight, not to who runs it. */
const CHATTER = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
  'GraphQLModule',
  'WebSocketsController',
]);

/** Nest's logger over pino: an event with fields is one line, JSON or for a person to read, without secrets. */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest puts the context last; an error has its stack before it. */
  private write(level: Level, message: unknown, rest: unknown[]): void {
    const texts = rest.filter((part): part is string => typeof part === 'string');
    const context = texts.at(-1);
    const stack = texts.length > 1 ? texts[0] : undefined;
    const at = level === 'info' && context !== undefined && CHATTER.has(context) ? 'debug' : level;
    const fields = { ...(context && { context }), ...(stack && { stack }), ...fieldsOf(message) };
    this.pino[at]({ ...boundedFields(fields), ...activeTrace() }, boundedText(textOf(message)));
  }
}

function fieldsOf(message: unknown): object {
  if (message instanceof Error) return { err: message };
  if (typeof message !== 'object' || message === null) return {};
  const { message: _text, ...fields } = message as Record<string, unknown>;
  return fields;
}

function textOf(message: unknown): string {
  if (message instanceof Error) return message.message;
  if (typeof message === 'object' && message !== null && 'message' in message) return String(message.message);
  return String(message);
}

/** The logger of one application. `to` is where the lines go, standard output unless a test reads them. */
export function createLogger(
  config: Config,
  instance: Instance,
  to: DestinationStream = destination({ fd: 1, sync: true }),
): PinoLogger {
  const lines =
    config.logFormat === 'json'
      ? to
      : prettyStream({
          colorize: process.stdout.isTTY,
          destination: to,
          ignore: 'instance,context',
          messageFormat: '{if context}{context}: {end}{msg}',
          singleLine: true,
          sync: true,
          translateTime: 'SYS:HH:MM:ss',
        });
  return new PinoLogger(
    pino(
      {
        level: config.logLevel,
        base: { instance: instance.id },
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        hooks: { streamWrite: redactor(config) },
      },
      lines,
    ),
  );
}
