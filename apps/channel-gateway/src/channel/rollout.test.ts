import { afterEach, describe, expect, it } from 'vitest';
import { Rollout } from '../connections/rollout.ts';
import {
  customerToken,
  type GatewayUnderTest,
  staffToken,
  startGateway,
  streamSignature,
} from '../testing/gateway-under-test.ts';
import { poll } from '../testing/http-clients.ts';
import { SocketClient } from '../testing/socket-client.ts';

const customer = (sessionId: number) =>
  ({ kind: 'customer', sessionId, createdAt: 0, expiresAt: 0 }) as Parameters<Rollout['admits']>[0];

describe('switching the channel on and off', () => {
  let under: GatewayUnderTest;
  afterEach(() => under.close());
  const channel = (sessionId: number) =>
    new SocketClient(`${under.wsUrl}?session=${sessionId}&token=${customerToken(sessionId)}`);

  it('[BES26] CHANNEL_MODE=off closes customers and staff with 4530 channel_off after the upgrade', async () => {
    under = await startGateway({ env: { CHANNEL_MODE: 'off' } });
    under.ledger.createSession(1);
    expect(await channel(1).closed).toEqual({ code: 4530, reason: 'channel_off' });
    expect(await new SocketClient(`${under.wsUrl}?type=staff&access_token=${staffToken('anna')}`).closed).toEqual({
      code: 4530,
      reason: 'channel_off',
    });
    // A client that may not connect at all gets that code instead.
    expect((await new SocketClient(`${under.wsUrl}?session=1&token=${customerToken(2)}`).closed).code).toBe(4501);
  });

  it('[BES26] CHANNEL_MODE=off ends streams with the same code, and answers polls with 503 channel_off and Retry-After', async () => {
    under = await startGateway({ env: { CHANNEL_MODE: 'off' } });
    under.ledger.createSession(1);
    const token = customerToken(1);
    const streams = [`/channel/sse?session=1&token=${token}`, `/chat/1/stream?sig=${streamSignature(1)}`];
    for (const path of streams) {
      const answer = await fetch(`${under.httpUrl}${path}`);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('{"type":"channel.closed","data":{"code":4530,"reason":"channel_off"}}');
    }
    const answer = await fetch(`${under.httpUrl}/channel/poll?session=1&token=${token}&last_seq=0`);
    expect([answer.status, Number(answer.headers.get('retry-after')) >= 30]).toEqual([503, true]);
    expect(await answer.json()).toMatchObject({ error: { code: 'channel_off' } });
    expect((await poll(`${under.httpUrl}/channel/poll?session=1&token=x`)).status).toBe(401);
  });

  it('[BES27] CHANNEL_ROLLOUT_PERCENT gives the channel to a stable part of the sessions, and to all staff', async () => {
    const half = new Rollout('on', 50);
    const inside = Array.from({ length: 1_000 }, (_, i) => i + 1).find((id) => half.admits(customer(id))) ?? 0;
    const outside = Array.from({ length: 1_000 }, (_, i) => i + 1).find((id) => !half.admits(customer(id))) ?? 0;
    under = await startGateway({ env: { CHANNEL_ROLLOUT_PERCENT: '50' } });
    for (const id of [inside, outside]) under.ledger.createSession(id);
    await channel(inside).ready();
    expect(await channel(outside).closed).toEqual({ code: 4530, reason: 'channel_off' });
    await new SocketClient(`${under.wsUrl}?type=staff&access_token=${staffToken('anna')}`).ready();
  });

  it('[BES27] a session that has the channel at one percentage keeps it at every larger one', async () => {
    under = await startGateway({ env: { CHANNEL_ROLLOUT_PERCENT: '0' } });
    const sessions = Array.from({ length: 10_000 }, (_, i) => i + 1);
    let before = new Set<number>();
    for (const percent of [0, 1, 10, 50, 99, 100]) {
      const rollout = new Rollout('on', percent);
      const now = new Set(sessions.filter((id) => rollout.admits(customer(id))));
      expect([...before].every((id) => now.has(id))).toBe(true);
      expect(Math.abs(now.size / 100 - percent)).toBeLessThan(2);
      before = now;
    }
    expect(before.size).toBe(10_000);
  });
});
