import { TcpProxy, sleep } from '@chat-realtime/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { useVisitors } from './visitors.ts';
import { WidgetPage } from './widget-page.ts';

const CUTS = 48;
/** Less than a page of history, so that a fresh snapshot has all of it. */
const MOST_MESSAGES = 45;

describe('after any cut', async () => {
  const chat = await useChat('main');
  const proxy = await TcpProxy.start({ target: chat.baseUrl });
  afterAll(() => proxy.close());
  const baseUrl = proxy.urlFor(chat.baseUrl).replace(/\/$/, '');
  const { visit, url } = await useVisitors(baseUrl);
  const { open } = useBrowser();

  it('widget and console show what a fresh snapshot shows', { timeout: 120_000 }, async () => {
    const seed = runSeed('CONVERGENCE_SEED');
    console.log(`convergence: CONVERGENCE_SEED=${seed}`);
    const random = new SeededRandom(seed);
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];

    const { page, widget } = await visit();
    await widget.open();
    await widget.say('начало');
    await widget.state('начало', 'отправлено');
    const id = await widget.sessionId();
    const desk = await open({ viewport: { width: 1_280, height: 900 } });
    const operator = new ConsolePage(desk.page, baseUrl);
    await operator.signIn('anna');
    await operator.openSession(id);

    const faults: readonly (() => Promise<void>)[] = [
      async () => proxy.reset(),
      async () => {
        await proxy.down();
        await sleep(random.integer(10, 150));
        await proxy.up();
      },
      async () => {
        proxy.halfOpen();
        await sleep(random.integer(30, 200));
        await proxy.heal();
      },
      async () => {
        proxy.latency(random.integer(5, 60), 40);
        await sleep(random.integer(30, 150));
        proxy.reset();
        await proxy.heal();
      },
      async () => {
        // In the middle of a frame or an answer.
        proxy.limit(random.integer(200, 4_000));
        await sleep(random.integer(50, 200));
        await proxy.heal();
      },
    ];
    /** A closed chat takes no answer: it is reopened for it, if the customer has not done so meanwhile. */
    const answer = async (text: string): Promise<void> => {
      for (;;) {
        try {
          await anna.post(id, text);
          return;
        } catch (error) {
          if (!String(error).includes('session_closed')) throw error;
          await anna.act(id, 'reopen');
        }
      }
    };
    let written = 0;
    const write = async (): Promise<void> => {
      written += 1;
      const text = `№ ${written}`;
      if (random.next() < 0.5) await answer(text);
      else {
        await page.evaluate(`void chatWidget.send(${JSON.stringify(text)}).catch(() => undefined)`);
      }
    };
    const acts = [
      () => anna.act(id, 'assign'),
      async () => {
        await anna.act(id, 'close');
        return anna.act(id, 'reopen');
      },
      () => boris.act(id, 'assign'),
      // The next message of the customer makes it new, and nobody's.
      () => anna.act(id, 'close'),
    ];
    /** What a device says when its network is back: nobody waits out a long pause then. */
    const wake = async (): Promise<void> => {
      for (const one of [page, desk.page]) await one.evaluate('dispatchEvent(new Event("online"))');
    };
    for (let cut = 0; cut < CUTS; cut += 1) {
      while (written < MOST_MESSAGES && random.next() < 0.45) await write();
      if (random.next() < 0.15) await random.pick(acts)();
      await random.pick(faults)();
      await wake();
      await sleep(random.integer(0, 120));
    }
    await answer('конец');

    const stored = async (): Promise<string[]> =>
      (await anna.messages(id, { limit: 500 })).messages.map(({ body }) => body);
    const settled = async (shown: () => Promise<readonly string[]>): Promise<void> => {
      await expect
        .poll(
          async () => {
            await wake();
            return shown();
          },
          { timeout: 60_000, interval: 1_000 },
        )
        .toEqual(await stored());
    };
    await expect.poll(async () => new Set(await stored()).size, { timeout: 60_000 }).toBe(written + 2);
    expect(await stored()).toHaveLength(written + 2);
    await settled(() => widget.texts());
    await settled(() => operator.texts());
    console.log(`${CUTS} cuts, ${proxy.accepted} connections, ${written + 2} messages`);

    const later = await open({ storageState: await page.context().storageState() });
    await later.page.goto(url);
    const fresh = new WidgetPage(later.page);
    await fresh.open();
    await expect.poll(() => fresh.texts()).toEqual(await stored());
    await expect.poll(async () => JSON.stringify(await widget.shown())).toBe(JSON.stringify(await fresh.shown()));
    const nextDesk = await open({ viewport: { width: 1_280, height: 900 } });
    const nextOperator = new ConsolePage(nextDesk.page, baseUrl);
    await nextOperator.signIn('anna');
    await nextOperator.openSession(id);
    // Everything the conversation says: texts, times, ticks, who has it, what may be done.
    const all = (one: ConsolePage): Promise<string> =>
      one.page.evaluate(() =>
        ['.chat-head', '.message', '.note', '.detail', '[data-action]']
          .flatMap((selector) => [...document.querySelectorAll(selector)])
          .map(
            (element) =>
              `${element.className} ${element.textContent ?? ''} ${element.querySelector('.ticks')?.getAttribute('data-delivery') ?? ''}`,
          )
          .join('\n'),
      );
    await expect.poll(() => nextOperator.texts()).toEqual(await stored());
    await expect
      .poll(async () => {
        const [kept, made] = await Promise.all([all(operator), all(nextOperator)]);
        return kept === made ? 'the same' : { kept, made };
      })
      .toBe('the same');
  });
});
