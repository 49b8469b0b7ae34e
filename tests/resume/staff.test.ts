import { StaffObserver, staffEventKey } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../support/chat.ts';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';

const chat = await useChat('main');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const SESSIONS = 24;
const CUTS = 240;
/** On a slow machine fewer cuts must do. */
const LONGEST_MS = 25_000;
const WAYS = ['websocket', 'sse', 'poll', 'feed'] as const;

describe('resume of staff', () => {
  test('[STF3] [STF4] [STF5] [FEED2] cut off while many sessions are busy: each event comes once and in feed order', async () => {
    const seed = runSeed();
    console.log(`resume of staff: RESUME_SEED=${seed}`);
    const random = new SeededRandom(seed);
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
    const start = await anna.feedHead();
    const deadline = Date.now() + LONGEST_MS;
    const observers = [anna, anna, anna, boris, boris, boris].map((staff) => ({
      observer: new StaffObserver(chat.baseUrl, staff.token, start),
      random: random.fork(),
    }));

    const cutsMade = (): number => observers.reduce((sum, { observer }) => sum + observer.cuts, 0);
    const busy = (): boolean => cutsMade() < CUTS && Date.now() < deadline;

    const traffic = Array.from({ length: SESSIONS }, async () => {
      const own = random.fork();
      const customer = await chat.customer();
      for (let index = 0; busy(); index += 1) {
        const dice = own.next();
        if (dice < 0.7) await customer.post(`c${index}`);
        else if (dice < 0.8) await anna.note(customer.sessionId, `n${index}`);
        else if (dice < 0.95) await boris.send(customer.sessionId, `s${index}`);
        else await anna.act(customer.sessionId, own.pick(['assign', 'unassign', 'close', 'reopen']));
        await pause(own.integer(50, 600));
      }
    });
    const watching = observers.map(async ({ observer, random: mine }) => {
      while (busy()) {
        const afterMs = mine.integer(5, 300);
        const way = mine.pick(WAYS);
        await observer.attend(way, mine.next() < 0.5 ? { afterMs } : { afterMs, afterFrames: mine.integer(1, 20) });
      }
    });
    await Promise.all([...traffic, ...watching]);

    const truth = (await anna.feedAfter(start)).events;
    const keys = truth.map(staffEventKey);
    expect(new Set(keys).size).toBe(keys.length);
    const cuts = cutsMade();
    for (const { observer, random: mine } of observers) {
      const patience = Date.now() + 15_000;
      const missing = (): string[] => keys.filter((key) => !observer.seen.has(key));
      while (missing().length > 0 && Date.now() < patience) await observer.attend(mine.pick(WAYS), { afterMs: 500 });
      expect(missing()).toEqual([]);
      expect(observer.violations).toEqual([]);
      for (const event of truth) {
        const frame = observer.seen.get(staffEventKey(event));
        expect(frame?.data, frame?.raw).toEqual(event.data);
      }
      observer.close();
    }
    console.log(`${cuts} connections cut, ${truth.length} events`);
    expect(cuts).toBeGreaterThan(60);
  }, 60_000);
});
