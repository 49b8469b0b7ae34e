import type { Database } from '@chat-realtime/database';
import { createLogger, createMetrics } from '@chat-realtime/service-kit';
import { FakeBotApi } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Poller } from '../updates/poller.ts';
import { botMetrics } from '../metrics.ts';
import { SendStore } from '../storage/sends.ts';
import { UpdateStore } from '../storage/updates.ts';
import { createTelegramApi } from '../telegram/api.ts';

const BOT = 79;

export function pollerSuite(opened: () => Database): void {
  let api: FakeBotApi;
  let pollers: Poller[];
  beforeEach(async () => {
    api = await FakeBotApi.start();
    pollers = [];
    await sql`DELETE FROM telegram_update`.execute(opened().kysely);
  });
  afterEach(async () => {
    await Promise.all(pollers.map((poller) => poller.stop()));
    await api.stop();
  });

  function newPoller() {
    const registry = createMetrics('telegram-bot');
    const frames = { connected: true, start: () => undefined, stop: async () => undefined };
    const poller = new Poller({
      api: createTelegramApi({ token: api.token, root: api.url, openFile: async () => null, commands: () => [] }),
      updates: new UpdateStore(opened(), BOT),
      metrics: botMetrics(registry, frames, new SendStore(opened(), BOT)),
      logger: createLogger({ service: 'telegram-bot', level: 'silent' }),
      taken: () => undefined,
      conflictMs: 20,
    });
    pollers.push(poller);
    poller.start();
    const polls = async (result: 'ok' | 'conflict'): Promise<number> =>
      Number(new RegExp(`polls_total\\{result="${result}"\\} (\\d+)`).exec(await registry.collect())?.[1]);
    return { poller, polls };
  }

  /** Whatever was handled; a row for each update. */
  async function stored(): Promise<number[]> {
    const { rows } = await sql<{ id: number }>`SELECT update_id AS id FROM telegram_update
      WHERE bot_id = ${BOT} ORDER BY update_id`.execute(opened().kysely);
    return rows.map(({ id }) => Number(id));
  }

  describe('[TG13] updates that are asked for', () => {
    it('by two processes with one token come each once, and whoever stays has them all', async () => {
      const phone = api.person({ id: 9_101 });
      const given: number[] = [];
      const send = (): void => void given.push(phone.send('x').update_id);
      const [one, other] = [newPoller(), newPoller()];
      const least = async (result: 'ok' | 'conflict') => Math.min(await one.polls(result), await other.polls(result));
      await expect.poll(() => least('conflict')).toBeGreaterThan(1);
      // Both continue after the conflict.
      await expect
        .poll(() => {
          send();
          return least('ok');
        })
        .toBeGreaterThan(1);
      await one.poller.stop();
      const conflicts = await other.polls('conflict');
      send();
      await expect.poll(stored).toEqual(given);
      await expect.poll(() => api.pending).toBe(0);
      expect((await other.polls('conflict')) - conflicts).toBeLessThanOrEqual(1);
    });

    it('are confirmed as well where Telegram numbers anew, from below, after a week without any', async () => {
      const phone = api.person({ id: 9_102 });
      newPoller();
      const before = phone.send('раз').update_id;
      await expect.poll(() => api.pending).toBe(0);
      api.renumber(before - 100);
      const after = phone.send('два').update_id;
      await expect.poll(stored).toEqual([after, before]);
      // Until it is confirmed it is given at once, again and again.
      await expect.poll(() => api.pending, { timeout: 3_000 }).toBe(0);
      api.redeliver(before);
      const next = phone.send('три').update_id;
      await expect.poll(stored).toEqual([after, next, before]);
      await expect.poll(() => api.pending, { timeout: 3_000 }).toBe(0);
    });
  });
}
