/**
 * Changes a driver before a service loads it (`node --import`), so that a test can break the service while it runs the code
 * that production runs. Nothing else of the test kit is loaded with it.
 */
import { createRequire } from 'node:module';

const require: (id: string) => unknown = createRequire(import.meta.url);

export type Call = (...given: unknown[]) => unknown;

/** Puts another function in the place of `target[name]`; it is given the one before, bound to its object. */
export function replace(target: object, name: string, by: (before: Call) => Call): void {
  const before: unknown = Reflect.get(target, name);
  if (typeof before !== 'function') throw new Error(`there is no ${name} to replace`);
  const changed = by((...given) => Reflect.apply(before, target, given));
  Reflect.set(target, name, changed);
}

/** Each channel of each connection to RabbitMQ, before anybody uses it. */
export function eachChannel(kind: 'createChannel' | 'createConfirmChannel', change: (channel: object) => void): void {
  const amqplib = require('amqplib');
  if (typeof amqplib !== 'object' || amqplib === null) throw new Error('there is no amqplib to change');
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

/** A prepared statement on its way to PostgreSQL. */
export interface PreparedStatement {
  readonly name: string;
  readonly values?: unknown[];
}

/**
 * Wraps each prepared statement of each connection to PostgreSQL; `send` passes it to the server and returns the
 * driver's result.
 */
export function eachStatement(by: (statement: PreparedStatement, send: () => unknown) => unknown): void {
  const { Client } = require('pg') as { Client: { prototype: object } };
  const query: unknown = Reflect.get(Client.prototype, 'query');
  if (typeof query !== 'function') throw new Error('pg has no query to replace');
  Reflect.set(Client.prototype, 'query', function (this: object, ...given: unknown[]): unknown {
    const send = (): unknown => Reflect.apply(query, this, given);
    const [statement] = given;
    return isPrepared(statement) ? by(statement, send) : send();
  });
}

function isPrepared(statement: unknown): statement is PreparedStatement {
  return typeof statement === 'object' && statement !== null && typeof Reflect.get(statement, 'name') === 'string';
}

/** A message that contains an event, and not one that may be dropped when nobody is there. */
export function isEventKey(key: unknown): boolean {
  return typeof key === 'string' && /^chat\.(message|session)\./.test(key);
}
