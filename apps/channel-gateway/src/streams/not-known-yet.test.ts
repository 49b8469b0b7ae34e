import type { CatchupRequest, CatchupResponse, ChatSource, SessionEvent } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

/** A site that keeps its own sessions, and does not report which exist. */
class Site implements ChatSource {
  readonly events = new Map<number, SessionEvent[]>();
  calls = 0;

  post(id: number): void {
    const events = this.events.get(id) ?? [];
    const seq = events.length + 1;
    const data = { id: seq, sender_type: 'operator', body: 'x' };
    const event: unknown = { type: 'chat.message', session_id: id, seq, data };
    this.events.set(id, [...events, event as SessionEvent]);
  }

  async catchup({ sessions }: CatchupRequest): Promise<CatchupResponse> {
    this.calls += 1;
    return {
      sessions: sessions.flatMap(({ id, after_seq: after }) => {
        const events = this.events.get(id);
        if (events === undefined) return [];
        const shown = after === undefined ? [] : events.slice(after);
        return [{ id, last_seq: events.length, events: shown, has_more: false }];
      }),
    };
  }

  async acks(): Promise<void> {}
}

function besideSite() {
  const site = new Site();
  const config = { ticks: false, headCheckSeconds: 10 };
  return { site, gateway: new VirtualGateway({ source: site, ticks: false, config }) };
}

it('[INT3] [BES32] a session that the site still does not know after three seconds is not found, after few calls', async () => {
  const { site, gateway } = besideSite();
  const client = gateway.customer(2);
  await gateway.advance(2_900);
  expect(client.closed).toBeNull();
  await gateway.advance(2_000);
  expect(client.closed).toBe('session_not_found');
  expect(site.calls).toBeLessThanOrEqual(6);
  await gateway.stop();
});

it('[BES32] a session that the site knows a moment later is served', async () => {
  const { site, gateway } = besideSite();
  const client = gateway.customer(2, 0);
  await gateway.advance(1_500);
  site.post(2);
  await gateway.advance(2_000);
  expect([client.closed, client.seqs]).toEqual([null, [1]]);
  await gateway.stop();
});

it('[BES32] one answer of a lagging replica disconnects nobody, but repeated ones do', async () => {
  const { site, gateway } = besideSite();
  site.post(1);
  const client = gateway.customer(1, 0);
  await gateway.advance(1_000);
  expect(client.seqs).toEqual([1]);
  const all = [...(site.events.get(1) ?? [])];
  site.events.delete(1);
  const { calls } = site;
  await gateway.clock.until(() => site.calls > calls || undefined, 'an empty answer');
  site.events.set(1, all);
  site.post(1);
  await gateway.advance(13_000);
  expect([client.closed, client.seqs]).toEqual([null, [1, 2]]);
  site.events.delete(1);
  await gateway.advance(20_000);
  expect(client.closed).toBe('session_not_found');
  await gateway.stop();
});
