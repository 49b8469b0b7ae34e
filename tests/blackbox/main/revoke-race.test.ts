import { WebSocketClient } from '@chat-realtime/testkit';
import { expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';

const chat = await useChat('main', { keepConnections: true });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Opens a connection at a moment of its own around the revocation and says how long it lived after it. */
async function lifeAfter(open: () => Promise<unknown>, revokedAt: Promise<number>): Promise<number> {
  await open();
  return Date.now() - (await revokedAt);
}

test('[REV1] [REV4] connections opened at the moment of the revocation end as well', async () => {
  const anna = await chat.staff('anna');
  const rounds = Array.from({ length: 24 }, async (_, round) => {
    const customer = await chat.customer();
    const { sessionId, token } = customer;
    // With somebody there already the gateway need not ask for anything before it admits the next.
    await chat.channel(customer);
    const revoke = async (): Promise<number> => {
      await pause(40 + round);
      expect((await anna.act(sessionId, 'revoke')).status).toBe(204);
      return Date.now();
    };
    const revokedAt = revoke();
    const socket = async (): Promise<void> => {
      const client = await WebSocketClient.open(chat.baseUrl, { query: { session: sessionId, token } });
      const { code } = await client.closed(15_000);
      expect(code).toBe(4505);
    };
    const poll = (): Promise<unknown> => chat.poll(customer).request({ last_seq: 1, wait: 15 });
    const lives = await Promise.all(
      [poll, socket, poll, socket].map(async (open, index) => {
        await pause(round * 2 + index * 12);
        return lifeAfter(open, revokedAt);
      }),
    );
    return Math.max(...lives);
  });
  const longest = Math.max(...(await Promise.all(rounds)));
  expect(longest).toBeLessThan(6_000);
}, 40_000);
