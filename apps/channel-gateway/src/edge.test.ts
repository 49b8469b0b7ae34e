import { describe, expect, it } from 'vitest';
import { RecordedPoll, RecordedSocket } from './testing/recorded-transport.ts';
import { VirtualGateway } from './testing/virtual-gateway.ts';

const credentials = (gateway: VirtualGateway) => {
  const token = `session:1@${Math.floor(gateway.clock.wall() / 1_000)}`;
  return { kind: 'customer', sessionId: 1, token, start: { kind: 'head' } } as const;
};

function edgeUnderTest(config = {}) {
  const gateway = new VirtualGateway({ config });
  gateway.ledger.createSession(1);
  const come = (waitMs: number | null = null) => {
    const transport = waitMs === null ? new RecordedSocket() : new RecordedPoll(waitMs);
    gateway.core.edge.open(transport, credentials(gateway));
    return transport;
  };
  /** Load under which a newcomer is refused: a client is connected, and the process stood still. */
  const overload = async () => {
    gateway.customer(1);
    await gateway.advance(1_000);
    gateway.clock.freeze(1_500);
    await gateway.advance(10);
    expect(gateway.core.overloaded).toBe(true);
  };
  return { gateway, come, overload };
}

describe('a newcomer', () => {
  it('with credentials is admitted', async () => {
    const { gateway, come } = edgeUnderTest();
    const transport = come();
    await gateway.advance(100);
    expect(transport instanceof RecordedSocket && transport.frames.map(({ type }) => type)).toEqual(['channel.ready']);
    await gateway.stop();
  });

  it('without credentials authenticates in its first frame', async () => {
    const { gateway } = edgeUnderTest();
    const transport = new RecordedSocket();
    const connection = gateway.core.edge.open(transport, null);
    await gateway.advance(100);
    expect(transport.frames).toEqual([]);
    const { token } = credentials(gateway);
    gateway.core.edge.receive(connection, JSON.stringify({ type: 'auth', session_id: 1, token }));
    await gateway.advance(100);
    expect(transport.frames.map(({ type }) => type)).toEqual(['channel.ready']);
    await gateway.stop();
  });

  it('[CLS6] is refused if the gateway is full, on every transport', async () => {
    const { gateway, come } = edgeUnderTest({ maxConnections: 1 });
    const [first, second, poll] = [come(), come(), come(0)];
    await gateway.advance(100);
    expect([first, second, poll].map(({ closed }) => closed)).toEqual([null, 'try_again_later', 'try_again_later']);
    expect(gateway.metrics.counts['handshake overload']).toBe(2);
    await gateway.stop();
  });

  it('[CLS6] [POLL1] is refused under load, but a poll is answered', async () => {
    const { gateway, come, overload } = edgeUnderTest();
    await overload();
    const [socket, poll] = [come(), come(0)];
    await gateway.advance(100);
    expect(socket.closed).toBe('try_again_later');
    expect(poll instanceof RecordedPoll && poll.answer).toEqual({ lastSeq: 1, hasMore: false });
    await gateway.advance(1_200);
    expect(gateway.core.overloaded).toBe(false);
    const later = come();
    await gateway.advance(100);
    expect(later.closed).toBeNull();
    await gateway.stop();
  });

  it('[CLS6] is admitted at once even if the gateway stood still while it started', async () => {
    const { gateway, come } = edgeUnderTest();
    gateway.clock.freeze(1_500);
    const transport = come();
    await gateway.advance(100);
    expect(transport instanceof RecordedSocket && transport.frames.map(({ type }) => type)).toEqual(['channel.ready']);
    expect(gateway.core.overloaded).toBe(false);
    await gateway.stop();
  });

  it('[DRN1] [POLL6] is refused by a gateway that drains', async () => {
    const { gateway, come } = edgeUnderTest();
    void gateway.core.disconnects.drain();
    const [socket, poll] = [come(), come(0)];
    expect([socket.closed, poll.closed]).toEqual(['try_again_later', 'service_restart']);
    await gateway.stop();
  });
});
