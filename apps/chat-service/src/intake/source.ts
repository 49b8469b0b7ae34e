import type { Database } from '@chat-realtime/database';
import type { Logger, Metrics } from '@chat-realtime/service-kit';
import type { ChatSettings } from '../config.ts';
import type { EventIntake } from './intake.ts';

/** From where the ledger reads by itself; calls come through `/intake/events`. */
export interface SourceRunner {
  start(): void;
  /** What was read and not decided on stays where it is. */
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
