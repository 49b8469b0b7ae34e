import { type Channel, type ChannelModel, connect } from 'amqplib';
import { exists, onChannel } from './channels.ts';
import { CONNECT_TIMEOUT_MS } from './link.ts';
import { SITE_DEAD_LETTERS, SITE_QUEUE } from './site-source.ts';
import { SITE_INLET, SITE_SPARE } from './site-spare.ts';

const QUEUES = [SITE_QUEUE, SITE_SPARE, SITE_DEAD_LETTERS] as const;
const EXCHANGES = [SITE_INLET, SITE_SPARE] as const;

export interface SiteLeftover {
  readonly queue: string;
  readonly messages: number;
  readonly readers: number;
}

/** What is ours in the broker of a site. */
export async function siteLeftovers(url: string): Promise<SiteLeftover[]> {
  return connected(url, leftovers);
}

/** The chat still reads the queues, or they have unread messages: nothing was removed. */
export class SiteQueuesInUseError extends Error {
  override readonly name = 'SiteQueuesInUseError';
  readonly code = 'site_queues_in_use';
}

/**
 * Removes everything of ours from a site's broker: exchanges first, so that nothing new arrives. With `drop` also
 * queues with messages. @throws SiteQueuesInUseError
 */
export async function removeSiteQueues(url: string, { drop }: { readonly drop: boolean }): Promise<SiteLeftover[]> {
  return connected(url, async (model) => {
    const found = await leftovers(model);
    const read = found.filter(({ readers }) => readers > 0);
    if (read.length > 0) throw new SiteQueuesInUseError(`${names(read)}: a chat reads there. Stop it first`);
    const full = found.filter(({ messages }) => messages > 0);
    if (full.length > 0 && !drop) throw new SiteQueuesInUseError(`${names(full)} still have unread messages`);
    await onChannel(model, async (channel) => {
      for (const exchange of EXCHANGES) await channel.deleteExchange(exchange);
      // Without `ifUnused`, which a quorum queue does not know: the broker ends the connection for it.
      for (const { queue } of found) await channel.deleteQueue(queue);
    });
    return found;
  });
}

const names = (queues: readonly SiteLeftover[]): string =>
  queues.map(({ queue, messages, readers }) => `${queue} (${messages} messages, ${readers} readers)`).join(', ');

async function leftovers(model: ChannelModel): Promise<SiteLeftover[]> {
  const found: SiteLeftover[] = [];
  for (const queue of QUEUES) {
    const look = async (channel: Channel): Promise<void> => {
      const { messageCount, consumerCount } = await channel.checkQueue(queue);
      found.push({ queue, messages: messageCount, readers: consumerCount });
    };
    await exists(model, look);
  }
  return found;
}

async function connected<T>(url: string, use: (model: ChannelModel) => Promise<T>): Promise<T> {
  const model = await connect(url, { timeout: CONNECT_TIMEOUT_MS });
  // The same error rejects the call that is under way.
  model.on('error', () => undefined);
  try {
    return await use(model);
  } finally {
    await model.close().catch(() => undefined);
  }
}
