import { QUESTION_TYPE } from '@chat-realtime/protocol';
import type { ChannelModel, ConsumeMessage } from 'amqplib';
import { onChannel } from './channels.ts';

const DIRECT_REPLY = 'amq.rabbitmq.reply-to';

/**
 * Queries the readers of these queues with a message at the end of each, and returns the queues whose reader had
 * settled everything before it within `ms`. (The message count of a quorum queue may be some hundred milliseconds old
 * and does not include unacknowledged messages.)
 */
export function readToTheirEnd(model: ChannelModel, queues: readonly string[], ms: number): Promise<Set<string>> {
  return onChannel(model, async (channel) => {
    const answered = new Set<string>();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      const received = (message: ConsumeMessage | null): void => {
        const queue: unknown = message?.properties.correlationId;
        if (typeof queue === 'string') answered.add(queue);
        if (answered.size < queues.length) return;
        clearTimeout(timer);
        resolve();
      };
      channel.once('close', resolve);
      channel
        .consume(DIRECT_REPLY, received, { noAck: true })
        .then(() => {
          for (const queue of queues) {
            const options = { type: QUESTION_TYPE, replyTo: DIRECT_REPLY, correlationId: queue, persistent: true };
            // Without an end of its life: RabbitMQ would put it into the dead letters then.
            channel.sendToQueue(queue, Buffer.alloc(0), options);
          }
        })
        .catch(reject);
      if (queues.length === 0) resolve();
    });
    return answered;
  });
}
