import { createLogger } from '@chat-realtime/service-kit';
import { expect, it } from 'vitest';
import { ChatQueue } from './chat-queue.ts';

it('[TG12] handles at most sixteen chats at once, and all of them in the end', async () => {
  const waiting = new Set(Array.from({ length: 50 }, (_, index) => index + 1));
  const ends: (() => void)[] = [];
  let most = 0;
  let now = 0;
  const queue = new ChatQueue<{ readonly chatId: number }>({
    due: async (busy) => ({
      items: [...waiting].filter((chatId) => !busy.includes(chatId)).map((chatId) => ({ chatId })),
      soon: false,
    }),
    work: async ({ chatId }) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise<void>((resolve) => ends.push(resolve));
      waiting.delete(chatId);
      now -= 1;
    },
    logger: createLogger({ service: 'telegram-bot', level: 'silent' }),
  });
  queue.start();
  await expect.poll(() => ends.length).toBe(16);
  queue.wake();
  await expect
    .poll(() => {
      for (const end of ends.splice(0)) end();
      return waiting.size;
    })
    .toBe(0);
  await queue.stop();
  expect(most).toBe(16);
});
