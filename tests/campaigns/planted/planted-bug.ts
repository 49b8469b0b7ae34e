// Loaded into a service before its own code (`node --import`): makes one driver lie, as PLANTED_BUG says. The service runs
// the code that production runs; what it believes of its database or broker is wrong.
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

type Call = (...given: unknown[]) => unknown;

/** Puts another function in the place of `target[name]`; it is given the one before. */
function replace(target: object, name: string, by: (before: Call) => Call): void {
  const before: unknown = Reflect.get(target, name);
  if (typeof before !== 'function') throw new Error(`there is no ${name} to replace`);
  const changed = by((...given) => Reflect.apply(before, target, given));
  Reflect.set(target, name, changed);
}

/** Each channel of each connection to RabbitMQ, before anybody uses it. */
function eachChannel(kind: 'createChannel' | 'createConfirmChannel', change: (channel: object) => void): void {
  const amqplib: object = require('amqplib');
  replace(amqplib, 'connect', (connect) => async (...given) => {
    const model = await connect(...given);
    if (typeof model !== 'object' || model === null) throw new Error('amqplib gave no connection');
    replace(model, kind, (create) => async () => {
      const channel = await create();
      if (typeof channel !== 'object' || channel === null) throw new Error('amqplib gave no channel');
      change(channel);
      return channel;
    });
    return model;
  });
}

const isEventKey = (key: unknown): boolean => typeof key === 'string' && /^chat\.(message|session)\./.test(key);

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
  'forgets-retries': () => {
    const { Client }: { Client: { prototype: object } } = require('pg');
    const query: unknown = Reflect.get(Client.prototype, 'query');
    if (typeof query !== 'function') throw new Error('pg has no query to replace');
    Reflect.set(Client.prototype, 'query', function (this: object, ...given: unknown[]): unknown {
      const [statement] = given;
      if (
        typeof statement === 'object' &&
        statement !== null &&
        Reflect.get(statement, 'name') === 'chat-post-message'
      ) {
        const values: unknown = Reflect.get(statement, 'values');
        // The seventh value is the client's id of the message.
        if (Array.isArray(values)) values[6] = randomUUID();
      }
      return Reflect.apply(query, this, given);
    });
  },
};

const wanted = process.env['PLANTED_BUG'] ?? '';
const plant = BUGS[wanted];
if (plant === undefined) throw new Error(`there is no bug "${wanted}"; there are: ${Object.keys(BUGS).join(', ')}`);
plant();
