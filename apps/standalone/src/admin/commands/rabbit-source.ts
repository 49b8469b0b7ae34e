import {
  removeSiteQueues,
  type SiteLeftover,
  siteLeftovers,
  SiteQueuesInUseError,
} from '@chat-realtime/messaging/rabbitmq';
import { type AdminAnswer, type AdminCommand, type AdminContext, AdminRefusal, AdminUsageError } from '../command.ts';

const USAGE = 'rabbit-source status | remove [--drop]; RABBITMQ_SOURCE_URL, else RABBITMQ_URL, is the site’s broker';

const lines = (found: readonly SiteLeftover[]): string =>
  found.map(({ queue, messages, readers }) => `${queue}\t${messages} messages\t${readers} readers`).join('\n');

async function status(url: string): Promise<AdminAnswer> {
  const found = await siteLeftovers(url);
  return { result: { queues: found }, text: found.length === 0 ? 'Nothing of ours is there.' : lines(found) };
}

async function remove(url: string, drop: boolean, progress: AdminContext['progress']): Promise<AdminAnswer> {
  const unread = drop ? 'with what is unread in them' : 'unless something is unread in them';
  progress(`removing our queues from the site’s broker, ${unread}; queues of the site are not touched …`);
  const removed = await removeSiteQueues(url, { drop });
  const text = removed.length === 0 ? 'Nothing of ours was there.' : `Removed:\n${lines(removed)}`;
  return { result: { removed }, text };
}

export const rabbitSource: AdminCommand = {
  async run({ args, env, progress }) {
    const [action, ...options] = args;
    const drop = options.length === 1 && options[0] === '--drop';
    const isStatus = action === 'status' && options.length === 0;
    if (!isStatus && !(action === 'remove' && (drop || options.length === 0))) throw new AdminUsageError(USAGE);
    const url = env['RABBITMQ_SOURCE_URL'] || env['RABBITMQ_URL'];
    if (!url) throw new AdminRefusal('neither RABBITMQ_SOURCE_URL nor RABBITMQ_URL is set');
    try {
      return isStatus ? await status(url) : await remove(url, drop, progress);
    } catch (error) {
      if (!(error instanceof SiteQueuesInUseError)) throw error;
      throw new AdminRefusal(
        `nothing was removed: ${error.message}${drop ? '' : ' (--drop throws away what is unread)'}`,
      );
    }
  },
};
