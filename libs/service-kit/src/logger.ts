import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { maskText, redactFields } from './redaction.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields next to the message. redaction.ts decides which of them are written. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly service: string;
  readonly level?: LogLevel | undefined;
  /** Standard output unless given. */
  readonly destination?: DestinationStream | undefined;
}

/** JSON lines through a filter that every field and message passes. */
class FilteringLogger implements Logger {
  readonly #pino: PinoLogger;

  constructor(logger: PinoLogger) {
    this.#pino = logger;
  }

  debug(fields: LogFields, message: string): void {
    if (this.#pino.isLevelEnabled('debug')) this.#pino.debug(redactFields(fields), maskText(message));
  }

  info(fields: LogFields, message: string): void {
    if (this.#pino.isLevelEnabled('info')) this.#pino.info(redactFields(fields), maskText(message));
  }

  warn(fields: LogFields, message: string): void {
    if (this.#pino.isLevelEnabled('warn')) this.#pino.warn(redactFields(fields), maskText(message));
  }

  error(fields: LogFields, message: string): void {
    if (this.#pino.isLevelEnabled('error')) this.#pino.error(redactFields(fields), maskText(message));
  }

  child(fields: LogFields): Logger {
    return new FilteringLogger(this.#pino.child(redactFields(fields)));
  }
}

export function createLogger({ service, level = 'info', destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // Errors arrive here already described; the library's own view of `err` would take them apart again.
    serializers: { err: (described: unknown) => described },
  };
  return new FilteringLogger(destination === undefined ? pino(options) : pino(options, destination));
}
