import { isAnnounced } from './connection.ts';
import type { Connection } from './connection.ts';
import type { Hub } from './hub.ts';

const POLL_MS = 50;
/** For close frames that are still on their way when the last client is sent away. */
const GRACE_MS = 1_500;

/** After a restore everybody comes back at this rate, at most over the time of a drain. */
const RETURN_EVERY_MS = 10;
const RETURN_MIN_MS = 500;

function sayGoodbye(hub: Hub, connection: Connection, spreadMs: number): void {
  const leaveIn = Math.round(Math.random() * spreadMs);
  connection.leaveAt = performance.now() + leaveIn;
  if (isAnnounced(connection.state))
    hub.send(connection, { type: 'channel.goodbye', data: { reconnect_in_ms: leaveIn } });
}

/** Those whose cursors have come to mean nothing: each is told its own moment, and given nothing until then. */
export function sendAway(hub: Hub, connections: Iterable<Connection>): void {
  const leaving = [...connections].filter((connection) => isAnnounced(connection.state));
  const drainMs = hub.options.config.drainSeconds * 1_000;
  const spreadMs = Math.min(drainMs, RETURN_MIN_MS + hub.connections.size * RETURN_EVERY_MS);
  for (const connection of leaving) {
    sayGoodbye(hub, connection, spreadMs);
    hub.takeOut(connection);
  }
}

/**
 * Sends everybody away, each at his own moment, so that the other gateways get a stream of returning clients and not a
 * wave. Until then each is served as before.
 */
export async function drainHub(hub: Hub, seconds: number): Promise<void> {
  hub.draining = true;
  const now = performance.now();
  const spreadMs = seconds * 1_000;
  for (const connection of [...hub.connections.values()]) {
    if (connection.transport.kind === 'poll') {
      hub.announcer.pollExpired(connection);
      continue;
    }
    sayGoodbye(hub, connection, spreadMs);
  }
  await hub.options.failpoint('gw.duringDrain');
  const deadline = now + spreadMs + GRACE_MS;
  while (hub.connections.size > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
