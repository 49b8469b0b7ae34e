import { type SiteDelivery, type SiteSource, type SiteVerdict } from '@chat-realtime/messaging';
import { connectSiteSource } from '@chat-realtime/messaging/rabbitmq';
import { INTAKE_EVENT_MAX_BYTES } from '@chat-realtime/protocol';
import type { Logger } from '@chat-realtime/service-kit';
import type { RabbitSource } from '../config.ts';
import type { EventIntake, RefusedEvent } from './intake.ts';

const TAKEN: SiteVerdict = { kind: 'taken' };

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text of a message as an event; the property `message_id` counts where the body names none. */
function eventOf({ content, messageId }: SiteDelivery): { ok: true; event: unknown } | { ok: false; reason: string } {
  if (content.length > INTAKE_EVENT_MAX_BYTES) return { ok: false, reason: `may have ${INTAKE_EVENT_MAX_BYTES} bytes` };
  let event: unknown;
  try {
    event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch {
    return { ok: false, reason: 'is not JSON in UTF-8' };
  }
  // Read back from our own exchange, they would loop forever.
  if (isObject(event) && 'feed_seq' in event) return { ok: false, reason: 'feed_seq: is an event of a ledger already' };
  const nameless = isObject(event) && !('message_id' in event) && messageId !== undefined;
  if (nameless) Object.assign(event as object, { message_id: messageId });
  return { ok: true, event };
}

function reasonOf(refused: readonly RefusedEvent[]): string {
  return refused.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
}

/** Decides on a batch of the site's messages: events go to the ledger, in the order of the queue. */
export async function takeDeliveries(intake: EventIntake, batch: readonly SiteDelivery[]): Promise<SiteVerdict[]> {
  const verdicts: SiteVerdict[] = batch.map(() => TAKEN);
  const events: unknown[] = [];
  const places: number[] = [];
  const again = new Set<number>();
  for (const [place, delivery] of batch.entries()) {
    const read = eventOf(delivery);
    if (read.ok) {
      if (delivery.redelivered) again.add(events.length);
      events.push(read.event);
      places.push(place);
    } else verdicts[place] = { kind: 'refused', reason: read.reason };
  }
  const { refused } = events.length === 0 ? { refused: [] } : await intake.take(events, 'rabbitmq', { again });
  for (const [index, place] of places.entries()) {
    const problems = refused.filter((problem) => problem.index === index);
    if (problems.length > 0) verdicts[place] = { kind: 'refused', reason: reasonOf(problems) };
  }
  return verdicts;
}

export interface RabbitFeedOptions {
  readonly url: string;
  readonly source: RabbitSource;
  readonly intake: EventIntake;
  readonly logger: Logger;
}

/** Reads the events of a site from its broker into the ledger. */
export function readRabbit({ url, source, intake, logger }: RabbitFeedOptions): SiteSource {
  return connectSiteSource({ url, address: source, logger, handler: (batch) => takeDeliveries(intake, batch) });
}
