// Loaded into a service before its own code (`node --import`): makes one driver lie, as SEEDED_BUG says. The service runs
// the code that production runs; what it believes of its database or broker is wrong.
import { randomUUID } from 'node:crypto';
import { eachChannel, eachStatement, isEventKey, replace } from '@chat-realtime/testkit/changed-driver';

const BUGS: Readonly<Record<string, () => void>> = {
  /** The broker's confirm is believed in before anything was sent. */
  'confirms-unsent': () =>
    eachChannel('createConfirmChannel', (channel) =>
      replace(channel, 'publish', (publish) => (...given) => {
        const [, key] = given;
        const confirmed = given.at(-1);
        if (!isEventKey(key) || typeof confirmed !== 'function') return publish(...given);
        setImmediate(() => Reflect.apply(confirmed, undefined, [null]));
        return true;
      }),
    ),
  /** Events are acknowledged when they arrive, and handed to nobody. */
  'acks-unread': () =>
    eachChannel('createChannel', (channel) =>
      replace(channel, 'consume', (consume) => (queue, receive, options) => {
        if (typeof receive !== 'function') throw new Error('consume without a receiver');
        const handed = (message: { fields: { routingKey: string } } | null): void => {
          if (message !== null && isEventKey(message.fields.routingKey))
            Reflect.get(channel, 'ack').call(channel, message);
          else Reflect.apply(receive, undefined, [message]);
        };
        return consume(queue, handed, options);
      }),
    ),
  /** A retry comes to the database under another id than the first attempt. */
  'forgets-retries': () =>
    eachStatement((statement, send) => {
      // The seventh value is the client's id of the message.
      if (statement.name === 'chat-post-message' && statement.values !== undefined) statement.values[6] = randomUUID();
      return send();
    }),
};

const wanted = process.env['SEEDED_BUG'] ?? '';
const seed = BUGS[wanted];
if (seed === undefined) throw new Error(`there is no bug "${wanted}"; there are: ${Object.keys(BUGS).join(', ')}`);
seed();
