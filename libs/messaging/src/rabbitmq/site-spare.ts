import { onChannel } from './channels.ts';
import type { Channel, ChannelModel, GetMessage } from 'amqplib';
import { answered } from './own-queues.ts';
import { declareLimited, type SiteLimits } from './site-limits.ts';

/**
 * The site's messages come to the queue through an exchange of ours. While the queue is not there – it was deleted, or is being
 * made anew – the broker would confirm a message to the site and drop it; so that exchange has an alternate one, with a queue
 * that takes what comes in between. A message lies in exactly one of the two. The spare queue is a classic one: it has no
 * process that could be lost as that of a quorum queue.
 */
export const SITE_SPARE = 'chat-ledger.spare';
export const SITE_INLET = 'chat-ledger';
const SPARE_ARGUMENTS = { 'x-queue-type': 'classic' };

export interface SiteBinding {
  readonly queue: string;
  readonly exchange: string;
  readonly key: string;
}

/** Before the queue is declared, and perhaps deleted for it. Answers whether the spare queue has the limits. */
export async function declareInlet(model: ChannelModel, limits: SiteLimits): Promise<boolean> {
  const isLimited = await declareLimited(limits, SPARE_ARGUMENTS, (options) =>
    onChannel(model, (channel) => channel.assertQueue(SITE_SPARE, options)),
  );
  await onChannel(model, async (channel) => {
    await channel.assertExchange(SITE_SPARE, 'fanout', { durable: true });
    await channel.bindQueue(SITE_SPARE, SITE_SPARE, '');
    await channel.assertExchange(SITE_INLET, 'fanout', { durable: true, alternateExchange: SITE_SPARE });
  });
  return isLimited;
}

/**
 * From now on nothing more comes into the spare queue. The queue is bound to the site's exchange as well, for whoever looks at
 * the bindings; a message that comes to it on both ways is put into it once.
 */
export async function bindInlet(model: ChannelModel, { queue, exchange, key }: SiteBinding): Promise<void> {
  await onChannel(model, async (channel) => {
    await channel.bindQueue(queue, SITE_INLET, '');
    await channel.bindExchange(SITE_INLET, exchange, key);
    await channel.bindQueue(queue, exchange, key);
  });
}

export async function spareCount(channel: Channel): Promise<number> {
  return (await answered(channel.checkQueue(SITE_SPARE), SITE_SPARE)).messageCount;
}

/** The next of them, at most `limit`; to be acknowledged on this channel. */
export async function takeSpare(channel: Channel, limit: number): Promise<GetMessage[]> {
  const taken: GetMessage[] = [];
  while (taken.length < limit) {
    const message = await answered(channel.get(SITE_SPARE), SITE_SPARE);
    if (message === false) break;
    taken.push(message);
  }
  return taken;
}
