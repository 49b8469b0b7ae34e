import { describe, expect, it } from 'vitest';
import { range } from '../testing/socket-client.ts';
import type { VirtualClient } from '../testing/virtual-client.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

function gatewayWith(sessions: number, config = {}): VirtualGateway {
  const gateway = new VirtualGateway({ config });
  for (const id of range(1, sessions)) gateway.ledger.createSession(id);
  return gateway;
}

const feed = (client: VirtualClient): number[] =>
  client.frames.flatMap(({ feed_seq: number }) => (number === undefined ? [] : [number]));

describe('an event of the live path', () => {
  it('[RES6] that arrives twice or late is dropped', async () => {
    const gateway = gatewayWith(1);
    const client = gateway.customer(1);
    await gateway.advance(500);
    gateway.ledger.fault = () => ({ copies: 3, delayMs: 0 });
    for (const index of range(1, 10)) gateway.ledger.post(1, `m${index}`);
    await gateway.advance(2_000);
    expect(client.seqs).toEqual(range(2, 11));
    expect(gateway.metrics.counts['duplicate']).toBe(20);
    await gateway.stop();
  });

  it('[STF4] [STF5] that is lost still reaches staff, once and in order', async () => {
    const gateway = gatewayWith(1);
    const { ledger } = gateway;
    const anna = gateway.staff('anna');
    await gateway.advance(500);
    ledger.fault = () => ({ copies: 0, delayMs: 0 });
    ledger.post(1, 'lost');
    ledger.note(1, 'lost too');
    ledger.fault = () => ({ copies: 2, delayMs: 0 });
    ledger.post(1, 'twice');
    ledger.healthy();
    await gateway.advance(2_000);
    expect(feed(anna)).toEqual([2, 3, 4]);
    await gateway.stop();
  });
});

describe('the head check', () => {
  it('[DEG1] finds the last event of a burst, which no gap reveals, for customers and staff', async () => {
    const gateway = gatewayWith(1, { headCheckSeconds: 10 });
    const [client, anna] = [gateway.customer(1), gateway.staff('anna')];
    await gateway.advance(500);
    gateway.ledger.fault = () => ({ copies: 0, delayMs: 0 });
    gateway.ledger.post(1, 'lost');
    await gateway.advance(5_000);
    expect([client.seqs, feed(anna)]).toEqual([[], []]);
    await gateway.advance(8_000);
    expect([client.seqs, feed(anna)]).toEqual([[2], [2]]);
    expect(gateway.metrics.counts['behind']).toBe(1);
    await gateway.stop();
  });

  it('[OST5] brings a chosen status whose message was lost, and applies it to operators who connect later', async () => {
    const gateway = gatewayWith(1, { headCheckSeconds: 10 });
    const visitor = gateway.customer(1);
    await gateway.advance(500);
    gateway.staff('anna');
    const online = () => visitor.of('chat.presence').map(({ data }) => data['operators_online']);
    await gateway.advance(500);
    expect(online()).toEqual([1]);
    gateway.ledger.statuses.push({ user_id: 'anna', status: 'off', version: 1 });
    await gateway.advance(13_000);
    expect(online()).toEqual([1, 0]);
    const later = gateway.customer(1);
    await gateway.advance(500);
    expect(later.of('channel.ready')[0]?.data['state']).toMatchObject({ operators_online: 0 });
    gateway.ledger.statuses[0] = { user_id: 'anna', status: 'online', version: 2 };
    await gateway.advance(13_000);
    expect(online()).toEqual([1, 0, 1]);
    await gateway.stop();
  });

  it('[RES7] makes everybody reload after a restore, which gives another epoch', async () => {
    const gateway = gatewayWith(1, { headCheckSeconds: 10 });
    const client = gateway.customer(1);
    await gateway.advance(500);
    gateway.ledger.epoch = 'epoch-2';
    await gateway.advance(14_000);
    expect(client.closed).toBe('service_restart');
    const back = gateway.customer(1);
    await gateway.advance(500);
    expect(back.of('channel.ready')[0]?.data['epoch']).toBe('epoch-2');
    await gateway.stop();
  });
});

describe('a connection that is far behind', () => {
  it('[STF8] delays nobody, and receives everything', async () => {
    const gateway = gatewayWith(1);
    const { ledger } = gateway;
    for (let index = 0; index < 4_000; index += 1) ledger.post(1, 'long ago');
    const head = ledger.feedHead;
    ledger.latencyMs = 50;
    const [far, alsoFar] = [gateway.staff('far', '0'), gateway.staff('far', '1')];
    await gateway.advance(500);
    const near = gateway.staff('near', String(head - 5));
    const since = gateway.clock.now();
    const reached = (client: VirtualClient) => feed(client).at(-1) === head || undefined;
    await gateway.clock.until(() => reached(near), 'whoever missed five events');
    const nearMs = gateway.clock.now() - since;
    expect([reached(far), reached(alsoFar)]).toEqual([undefined, undefined]);
    await gateway.clock.until(() => reached(far) && reached(alsoFar), 'the others');
    expect(nearMs).toBeLessThan((gateway.clock.now() - since) / 3);
    expect(feed(far)).toEqual(range(1, head));
    expect(feed(alsoFar)).toEqual(range(2, head));
    await gateway.stop();
  });
});
