import { sessionChannel, STAFF_CHANNEL } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { range } from '../testing/socket-client.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

/** Such a frame may still be in the broker after a restore, or forged by somebody with access to Redis. */
async function publishFarAhead(gateway: VirtualGateway, channel: string): Promise<void> {
  const data = { id: 999, sender_type: 'operator', body: 'of a database that is gone', attachments: [] };
  const frame = { type: 'chat.message', session_id: 1, seq: 8, feed_seq: 8, cursor: '8', data };
  await gateway.fanout.execute([{ kind: 'publish', channel, payload: JSON.stringify(frame) }]);
}

for (const channel of [sessionChannel(1), STAFF_CHANNEL])
  it(`[RES6] [STF5] on ${channel}, an event that chat-service never has is requested ever less often and never shown`, async () => {
    const gateway = new VirtualGateway({ config: { headCheckSeconds: 60 } });
    const { ledger } = gateway;
    ledger.createSession(1);
    const client = gateway.customer(1);
    const anna = gateway.staff('anna');
    await gateway.advance(1_000);
    await publishFarAhead(gateway, channel);
    const before = ledger.requests.length;
    await gateway.advance(30_000);
    const asked = ledger.requests
      .slice(before)
      .filter(({ sessions, feed }) => sessions.length > 0 || feed !== undefined);
    // The first request comes after 50 ms, and each further one after twice the time.
    expect(asked.length).toBe(8);
    expect(gateway.metrics.counts['gap']).toBe(1);
    for (const index of range(1, 8)) ledger.post(1, `m${index}`);
    await gateway.advance(1_000);
    const bodies = range(1, 8).map((index) => `m${index}`);
    expect(client.of('chat.message').map(({ data }) => data['body'])).toEqual(bodies);
    expect(anna.of('chat.message').map(({ data }) => data['body'])).toEqual(bodies);
    await gateway.stop();
  });

it('[RES6] [STF5] a gap that opens meanwhile is filled without delay', async () => {
  const gateway = new VirtualGateway({ config: { headCheckSeconds: 60 } });
  const { ledger } = gateway;
  ledger.createSession(1);
  const client = gateway.customer(1);
  const anna = gateway.staff('anna');
  await gateway.advance(1_000);
  for (const channel of [sessionChannel(1), STAFF_CHANNEL]) await publishFarAhead(gateway, channel);
  await gateway.advance(7_000);
  ledger.fault = () => ({ copies: 0, delayMs: 0 });
  ledger.post(1, 'lost');
  ledger.healthy();
  ledger.post(1, 'seen');
  await gateway.advance(200);
  expect(client.seqs).toEqual([2, 3]);
  expect(anna.of('chat.message').map(({ seq }) => seq)).toEqual([2, 3]);
  await gateway.stop();
});

it('[RES6] an event that chat-service has later than the live path is shown when it has it', async () => {
  const gateway = new VirtualGateway({ config: { headCheckSeconds: 60 } });
  const { ledger } = gateway;
  ledger.createSession(1);
  const client = gateway.customer(1);
  await gateway.advance(1_000);
  ledger.fault = () => ({ copies: 0, delayMs: 0 });
  const lost = ledger.post(1, 'lost');
  ledger.healthy();
  const seen = ledger.post(1, 'seen');
  // A site's own source may publish an event by its broker before its REST API returns it.
  const events = ledger.sessions.get(1)?.events ?? [];
  events.length = 1;
  await gateway.advance(2_000);
  expect(client.seqs).toEqual([]);
  events.push(lost, seen);
  await gateway.advance(2_000);
  expect(client.seqs).toEqual([2, 3]);
  await gateway.stop();
});
