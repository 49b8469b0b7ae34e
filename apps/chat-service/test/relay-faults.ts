import type { Database, DedicatedSession } from '@chat-realtime/database';
import type { EventPublisher } from '@chat-realtime/messaging';

/** Where the relay may be hit, as its ports see it. */
export const RELAY_STEPS = [
  'before the stamp',
  'after the stamp',
  'after it was published',
  'after it was confirmed',
  'after it was marked',
] as const;
export type RelayStep = (typeof RELAY_STEPS)[number];

/** Called at each step; what it throws is thrown at the relay. */
export type RelayFault = (step: RelayStep) => void;

/** The same object but for one method. */
function changed<T extends object, K extends keyof T>(object: T, name: K, by: T[K]): T {
  return new Proxy(object, {
    get: (target, key) => {
      if (key === name) return by;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function sessionWith(session: DedicatedSession, fault: RelayFault): DedicatedSession {
  return changed(session, 'query', async (statement, values = []) => {
    if (statement.name !== 'feed-next') return session.query<never>(statement, values);
    fault('before the stamp');
    const rows = await session.query<never>(statement, values);
    if (rows.length > 0) fault('after the stamp');
    if (values[0] !== null) fault('after it was marked');
    return rows;
  });
}

/** The database of a relay that is hit at its steps. */
export function databaseWith(database: Database, fault: RelayFault): Database {
  return changed(database, 'acquireSession', async (options) =>
    sessionWith(await database.acquireSession(options), fault),
  );
}

/** The broker of a relay that is hit at its steps. */
export function publisherWith(publisher: EventPublisher, fault: RelayFault): EventPublisher {
  return changed(publisher, 'publish', async (batch) => {
    const sent = publisher.publish(batch);
    fault('after it was published');
    const result = await sent;
    fault('after it was confirmed');
    return result;
  });
}
