import { isAnnounced } from './connection.ts';
import type { Hub } from './hub.ts';

const POLL_MS = 50;
/** For close frames that are still on their way when the last client is sent away. */
const GRACE_MS = 1_500;

/**
 * Sends everybody away, each at his own moment, so that the other gateways get a stream of returning clients and not a
 * wave. Until then each is served as before.
 */
export async function drainHub(hub: Hub, seconds: number): Promise<void> {
  hub.draining = true;
  const now = Date.now();
  const spreadMs = seconds * 1_000;
  for (const connection of [...hub.connections.values()]) {
    if (connection.transport.kind === 'poll') {
      hub.announcer.pollExpired(connection);
      continue;
    }
    const leaveIn = Math.round(Math.random() * spreadMs);
    connection.leaveAt = now + leaveIn;
    if (isAnnounced(connection.state))
      hub.send(connection, { type: 'channel.goodbye', data: { reconnect_in_ms: leaveIn } });
  }
  await hub.options.failpoint('gw.duringDrain');
  const deadline = now + spreadMs + GRACE_MS;
  while (hub.connections.size > 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
