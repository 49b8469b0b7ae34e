import type { Database } from '@chat-realtime/database';
import type { Logger, Metrics } from '@chat-realtime/service-kit';
import type { ChatSettings } from '../config.ts';
import type { EventIntake } from './intake.ts';

/** The sources that the ledger reads itself. HTTP calls arrive at `/intake/events`. */
export interface SourceRunner {
  start(): void;
  /** Events that were read and not decided on stay where they are. */
  stop(): Promise<void>;
}

export interface SourceDeps {
  readonly database: Database;
  readonly intake: EventIntake;
  readonly settings: ChatSettings;
  /** Of the site's broker, unless `RABBITMQ_SOURCE_URL` names another. */
  readonly rabbitUrl: string | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
}
