import { Customer, ResumingObserver, TRANSPORTS } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../support/chat.ts';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';

const chat = await useChat('main');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const SESSIONS = 4;
const OBSERVERS_PER_SESSION = 3;
const CUTS = 500;
/** On a slow machine fewer cuts must do. */
const LONGEST_MS = 20_000;
const FEWEST_CUTS = 60;

describe('resume of a session', () => {
  test('[RES1] [RES2] [RES5] [RES6] cut off at random, switching transports: every seq once and in order', async () => {
    const seed = runSeed();
    console.log(`resume of a session: RESUME_SEED=${seed}`);
    const random = new SeededRandom(seed);
    const anna = await chat.staff('anna');
    const deadline = Date.now() + LONGEST_MS;
    let cuts = 0;
    let refusals = 0;
    const busy = (): boolean => cuts < CUTS && Date.now() < deadline;

    const oneSession = async (own: SeededRandom): Promise<void> => {
      const customer = await chat.customer();
      const link = new URL((await customer.streamLink()).url, chat.baseUrl);
      const observers = Array.from({ length: OBSERVERS_PER_SESSION }, () => ({
        random: own.fork(),
        observer: new ResumingObserver({
          baseUrl: chat.baseUrl,
          sessionId: customer.sessionId,
          token: customer.token,
          streamLink: link.pathname + link.search,
        }),
      }));
      const writers = [
        write(customer, own.fork(), busy),
        (async () => {
          const timing = own.fork();
          for (let index = 0; busy(); index += 1) {
            await anna.post(customer.sessionId, `operator ${index}`);
            await pause(timing.integer(0, 120));
          }
        })(),
      ];
      const watching = observers.map(async ({ observer, random: mine }) => {
        while (busy()) {
          cuts += 1;
          const afterMs = mine.integer(5, 350);
          await observer.attend(
            mine.pick(TRANSPORTS),
            mine.next() < 0.5 ? { afterMs } : { afterMs, afterFrames: mine.integer(1, 6) },
          );
          if (mine.next() < 0.2) await pause(mine.integer(0, 400));
        }
      });
      await Promise.all([...writers, ...watching]);

      const { last_seq } = await customer.session();
      const truth = await allEvents(customer, last_seq);
      for (const { observer, random: mine } of observers) {
        await observer.catchUp(mine.pick(TRANSPORTS), last_seq);
        expect(observer.violations).toEqual([]);
        expect(observer.shown.map((frame) => frame.seq)).toEqual(truth.map((event) => event.seq));
        expect(observer.shown.map((frame) => frame.data)).toEqual(truth.map((event) => event.data));
        refusals += observer.refusals;
        observer.close();
      }
    };

    await Promise.all(Array.from({ length: SESSIONS }, () => oneSession(random.fork())));
    console.log(`${cuts} connections cut, ${refusals} turned away for lack of room`);
    expect(cuts).toBeGreaterThan(FEWEST_CUTS);
  }, 60_000);
});

async function write(customer: Customer, random: SeededRandom, busy: () => boolean): Promise<void> {
  for (let index = 0; busy(); index += 1) {
    const burst = random.next() < 0.2 ? random.integer(2, 8) : 1;
    await Promise.all(Array.from({ length: burst }, (_, one) => customer.post(`customer ${index}.${one}`)));
    await pause(random.integer(0, 100));
  }
}

async function allEvents(customer: Customer, head: number) {
  const events = [];
  for (let after = 0; after < head; ) {
    const page = await customer.events({ after_seq: after, limit: 500 });
    events.push(...page.events);
    after = page.events.at(-1)?.seq ?? head;
  }
  return events;
}
