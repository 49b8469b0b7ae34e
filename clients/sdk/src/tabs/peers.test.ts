import { describe, expect, it } from 'vitest';
import type { ConnectionState } from '../api/connection.ts';
import type { Connection } from '../connection/connection.ts';
import { createWorld } from '../testing/index.ts';
import type { Frame, ReadyData } from '../api/transport.ts';
import { createPeers } from './peers.ts';
import type { SharedPort } from './port.ts';

const ONLINE: ConnectionState = { status: 'online', transport: 'websocket', since: 1, shared: false, limited: false };
const frame = (n: number): Frame => ({ type: 'chat.alert', session_id: null, seq: null, data: { n } });

/** A follower; its `prepare` settles when the test says so. */
function following() {
  const world = createWorld();
  const received: string[] = [];
  const prepared: (() => void)[] = [];
  let role: 'follows' | 'leads' = 'follows';
  const port: Partial<SharedPort> = {
    prepare: () => new Promise((resolve) => prepared.push(resolve)),
    cursor: () => null,
    ready: (data: ReadyData) => received.push(`ready ${data.cursor}`),
    frame: ({ data }) => received.push(`frame ${(data as { n: number }).n}`),
  };
  const peers = createPeers({
    environment: world.tab().environment,
    port: port as SharedPort,
    real: {} as Connection,
    post: () => undefined,
    follow: () => undefined,
    elect: () => undefined,
    role: () => role,
  });
  const settle = async (): Promise<void> => {
    for (const resolve of prepared.splice(0)) resolve();
    await world.advance(1);
  };
  return { peers, received, settle, lead: () => (role = 'leads') };
}

describe('a tab that follows another', () => {
  it('applies what arrives while it joins after the state that was sent before it', async () => {
    const { peers, received, settle } = following();
    peers.received({ kind: 'state', connection: ONLINE, ready: { cursor: '1' } });
    peers.received({ kind: 'frame', frame: frame(2) });
    expect(received).toEqual([]);
    await settle();
    expect(received).toEqual(['ready 1', 'frame 2']);
    peers.received({ kind: 'frame', frame: frame(3) });
    expect(received.at(-1)).toBe('frame 3');
  });

  it('applies only the newer of two states, and no older frame', async () => {
    const { peers, received, settle } = following();
    peers.received({ kind: 'state', connection: ONLINE, ready: { cursor: '1' } });
    peers.received({ kind: 'frame', frame: frame(2) });
    peers.received({ kind: 'state', connection: ONLINE, ready: { cursor: '2' } });
    peers.received({ kind: 'frame', frame: frame(3) });
    await settle();
    expect(received).toEqual(['ready 2', 'frame 3']);
  });

  it('forgets what it received when it becomes the leader itself', async () => {
    const { peers, received, settle, lead } = following();
    peers.received({ kind: 'state', connection: ONLINE, ready: { cursor: '1' } });
    peers.received({ kind: 'frame', frame: frame(2) });
    lead();
    peers.stop();
    await settle();
    expect(received).toEqual([]);
  });
});
