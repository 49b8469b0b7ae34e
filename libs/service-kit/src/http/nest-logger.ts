import type { LoggerService } from '@nestjs/common';
import type { Logger } from '../logger.ts';

function text(message: unknown): string {
  return message instanceof Error ? message.message : typeof message === 'string' ? message : 'framework message';
}

/** The framework's own lines in our log, its chatter only at debug. */
export class NestLogger implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger.child({ component: 'nest' });
  }

  log(message: unknown): void {
    this.#logger.debug({}, text(message));
  }

  debug(message: unknown): void {
    this.#logger.debug({}, text(message));
  }

  verbose(message: unknown): void {
    this.#logger.debug({}, text(message));
  }

  warn(message: unknown): void {
    this.#logger.warn({}, text(message));
  }

  error(message: unknown): void {
    this.#logger.error(message instanceof Error ? { err: message } : {}, text(message));
  }

  fatal(message: unknown): void {
    this.error(message);
  }
}
