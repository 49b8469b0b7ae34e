import type { Channel, ChannelModel } from 'amqplib';

const NOT_FOUND = 404;

/**
 * Ends a channel, or finds that it ended with its connection. By itself the library calls a channel closed only when the
 * broker says so: once the connection is lost, that would be waited for ever.
 */
export async function closeChannel(channel: Channel): Promise<void> {
  const ended = new Promise<void>((resolve) => channel.once('close', () => resolve()));
  await Promise.race([channel.close(), ended]);
}

/** Uses a channel of its own, since an error closes it. */
export async function onChannel<T>(model: ChannelModel, use: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await model.createChannel();
  channel.on('error', ignoreReported);
  const result = await use(channel);
  await closeChannel(channel);
  return result;
}

/** Whether a passive declaration finds what it names; one that does not closes its channel. */
export async function exists(model: ChannelModel, check: (channel: Channel) => Promise<unknown>): Promise<boolean> {
  try {
    await onChannel(model, check);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === NOT_FOUND) return false;
    throw error;
  }
}

/** The same error rejects the call that caused it; without a listener it would end the process. */
function ignoreReported(): void {}
