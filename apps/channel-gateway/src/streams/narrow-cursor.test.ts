import { STAFF_CHANNEL } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { encodeSse } from '../connections/encoding.ts';
import { range } from '../testing/socket-client.ts';
import type { VirtualClient } from '../testing/virtual-client.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';
import { cursorFrame } from './staff-audiences.ts';

function gatewayWithSessions(): VirtualGateway {
  const gateway = new VirtualGateway({ config: { headCheckSeconds: 60 } });
  for (const id of [1, 2]) gateway.ledger.createSession(id);
  gateway.ledger.assign(2, 'olga');
  return gateway;
}

const cursors = (client: VirtualClient): unknown[] => client.of('channel.cursor').map(({ cursor }) => cursor);
const last = (client: VirtualClient): string | undefined =>
  client.frames.findLast(({ cursor }) => cursor !== undefined)?.cursor;

describe('the cursor of a narrow scope', () => {
  it('[STF4] moves past events outside the scope within a second, in a frame of its own', async () => {
    const gateway = gatewayWithSessions();
    const { ledger } = gateway;
    const olga = gateway.staff('olga/own');
    const anna = gateway.staff('anna');
    await gateway.advance(1_000);
    for (const index of range(1, 3)) ledger.post(1, `nobody’s ${index}`);
    await gateway.advance(1_000);
    expect(olga.of('chat.message')).toEqual([]);
    expect(cursors(olga)).toEqual([String(ledger.feedHead)]);
    await gateway.advance(10_000);
    expect([cursors(olga).length, cursors(anna).length]).toEqual([1, 0]);
    await gateway.stop();
  });

  it('[STF4] is sent at most once a second, and not after an event that carries it', async () => {
    const gateway = gatewayWithSessions();
    const { ledger } = gateway;
    const olga = gateway.staff('olga/own');
    await gateway.advance(1_000);
    for (const index of range(1, 50)) {
      ledger.post(1, `nobody’s ${index}`);
      await gateway.advance(100);
    }
    expect(cursors(olga).length).toBeLessThanOrEqual(5);
    expect(cursors(olga).length).toBeGreaterThanOrEqual(4);
    await gateway.advance(1_000);
    const told = cursors(olga).length;
    ledger.post(1, 'nobody’s');
    ledger.post(2, 'hers');
    await gateway.advance(5_000);
    expect([cursors(olga).length, last(olga)]).toEqual([told, String(ledger.feedHead)]);
    await gateway.stop();
  });

  it('[STF4] [STF9] is not carried by the badge, which is not sent unless it changed', async () => {
    const gateway = gatewayWithSessions();
    const { ledger } = gateway;
    const [olga, anna] = [gateway.staff('olga/own'), gateway.staff('anna')];
    await gateway.advance(1_000);
    ledger.post(1, 'nobody’s');
    for (const waiting_count of [1, 1, 1]) {
      const data = { ...ledger.badge, waiting_count, waiting: { unassigned: 0, mine: { olga: 1 } } };
      const payload = JSON.stringify({ type: 'chat.alert', session_id: null, seq: null, data });
      await gateway.fanout.execute([{ kind: 'publish', channel: STAFF_CHANNEL, payload }]);
      await gateway.advance(10);
    }
    for (const client of [olga, anna]) expect(client.of('chat.alert').map(({ cursor }) => cursor)).toEqual([undefined]);
    await gateway.stop();
  });

  it('[STF3] [STF4] is sent after a resume that showed nothing', async () => {
    const gateway = gatewayWithSessions();
    const { ledger } = gateway;
    for (const index of range(1, 700)) ledger.post(1, `nobody’s ${index}`);
    const olga = gateway.staff('olga/own', '3');
    await gateway.advance(2_000);
    expect(olga.connection.isLive).toBe(true);
    expect([olga.of('chat.message'), cursors(olga)]).toEqual([[], [String(ledger.feedHead)]]);
    const again = gateway.staff('olga/own', last(olga));
    await gateway.advance(2_000);
    expect([again.connection.isLive, cursors(again)]).toEqual([true, []]);
    await gateway.stop();
  });

  it('[SSE4] also moves the id of an event stream', () => {
    const text = 'id: 12\ndata: {"type":"channel.cursor","cursor":"12"}\n\n';
    expect(encodeSse([cursorFrame(12)]).toString()).toBe(text);
  });
});
