import { ResumingObserver, sleep } from '@chat-realtime/testkit';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BesidePhpSite, startBesidePhpSite } from '../support/beside-php-site.ts';
import { OUR_WIDGET, SHADOW, SiteVisitor, STEPS } from '../support/php-site.ts';
import { channelToken, unixNow } from '../support/tokens.ts';
import { useBrowser } from './browser.ts';
import { WidgetPage } from './widget-page.ts';

const PAUSE_MS = 250;
const POLL_MS = 500;
/** Pages that poll do it every 5 s; the rest is the machine's. */
const SHOWN = { timeout: 60_000, interval: 250 };

interface Row {
  readonly id: number;
  readonly body: string;
}

/** Whoever is shown the chat: what they have, in the order in which they got it. */
interface Watcher {
  readonly name: string;
  shown(): Promise<readonly number[]>;
}

/** A page of the site, as the person in front of it sees it. */
function pageWatcher(name: string, page: Page): Watcher {
  const items = page.locator('[data-chat] li[data-id]');
  return {
    name,
    shown: () => items.evaluateAll((all) => all.map((item) => Number((item as HTMLElement).dataset['id']))),
  };
}

/** Asks the site as its page did before there was a channel. */
class PollingVisitor implements Watcher {
  readonly name = 'a visitor who polls';
  readonly faults: string[] = [];
  readonly #ids: number[] = [];
  readonly #visitor: SiteVisitor;
  readonly #path: string;

  constructor(visitor: SiteVisitor, chat: number) {
    this.#visitor = visitor;
    this.#path = `/chat/${chat}`;
  }

  async poll(): Promise<void> {
    const answer = await this.#visitor.call('GET', `${this.#path}?since_id=${this.#ids.at(-1) ?? 0}`);
    if (answer.status !== 200) return void this.faults.push(`a poll was answered ${answer.status}`);
    const { messages } = (await answer.json()) as { messages: Row[] };
    this.#ids.push(...messages.map(({ id }) => Number(id)));
  }

  shown(): Promise<readonly number[]> {
    return Promise.resolve(this.#ids);
  }
}

/** Two people write in one chat at the same time, for as long as the walk lasts. */
class Traffic {
  readonly faults: string[] = [];
  readonly written: Row[] = [];
  readonly #end = new AbortController();
  readonly #writers: Promise<unknown>;

  constructor(chat: number, writers: Readonly<Record<'message' | 'reply', SiteVisitor>>) {
    const write = async (path: 'message' | 'reply'): Promise<void> => {
      for (let n = 0; !this.#end.signal.aborted; n += 1) {
        await this.post(writers[path], `/chat/${chat}/${path}`, `${path} ${n}`);
        await sleep(PAUSE_MS);
      }
    };
    this.#writers = Promise.all([write('message'), write('reply')]);
  }

  async post(writer: SiteVisitor, path: string, body: string): Promise<number> {
    const answer = await writer.call('POST', path, { body });
    if (answer.status !== 201) {
      this.faults.push(`${path} was answered ${answer.status}`);
      return 0;
    }
    const { id } = (await answer.json()) as Row;
    this.written.push({ id: Number(id), body });
    return Number(id);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#writers;
  }
}

/** The five steps into a site with a chat, and out again, while people write. */
describe('the walk of a PHP site to the channel and back', () => {
  let beside: BesidePhpSite;
  const { open } = useBrowser();
  beforeAll(async () => {
    beside = await startBesidePhpSite();
    // The site alone, as it was before anybody thought of a channel.
    await beside.chat.stop();
    await beside.triggers('out');
  }, 240_000);
  afterAll(() => beside?.stop());

  const cookieOf = async (context: BrowserContext): Promise<string> =>
    (await context.cookies(beside.site.baseUrl)).map(({ name, value }) => `${name}=${value}`).join('; ');

  it('loses nothing and shows nothing twice, at any client and after any step', async () => {
    const { baseUrl } = beside.site;
    const guest = await open();
    await guest.page.goto(baseUrl);
    await guest.page.locator('[name=name]').fill('Пётр');
    await guest.page.locator('textarea').fill('Начало');
    await guest.page.getByRole('button', { name: 'Отправить' }).click();
    await guest.page.locator('li', { hasText: 'Начало' }).waitFor();
    const chat = Number(await guest.page.evaluate(() => localStorage.getItem('chat_id')));
    const visitor = new SiteVisitor(baseUrl, await cookieOf(guest.page.context()));
    const olga = new SiteVisitor(baseUrl);
    await olga.signIn('olga');

    const desk = await open();
    await desk.page.goto(`${baseUrl}/login`);
    await desk.page.locator('[name=login]').fill('ivan');
    await desk.page.locator('[name=password]').fill('secret');
    await desk.page.locator('[name=password]').press('Enter');
    await desk.page.waitForURL('**/staff');
    await desk.page.goto(`${baseUrl}/staff/chat/${chat}`);

    // One of each stays open all the time, one is loaded anew after each step.
    const freshGuest = await guest.page.context().newPage();
    const freshDesk = await desk.page.context().newPage();
    const reload = async (): Promise<void> => {
      await freshGuest.goto(baseUrl);
      await freshDesk.goto(`${baseUrl}/staff/chat/${chat}`);
    };
    let sockets: string[] = [];
    freshGuest.on('websocket', () => sockets.push('customer'));
    freshDesk.on('websocket', () => sockets.push('staff'));

    const polling = new PollingVisitor(visitor, chat);
    const watchers: Watcher[] = [
      polling,
      pageWatcher('the customer’s page from before', guest.page),
      pageWatcher('the customer’s page of this step', freshGuest),
      pageWatcher('the staff’s page from before', desk.page),
      pageWatcher('the staff’s page of this step', freshDesk),
    ];
    const truth = async (): Promise<Row[]> => {
      const rows: Row[] = [];
      for (let more = true; more; ) {
        const answer = await olga.call('GET', `/chat/${chat}?since_id=${rows.at(-1)?.id ?? 0}`);
        const { messages } = (await answer.json()) as { messages: Row[] };
        rows.push(...messages.map(({ id, body }) => ({ id: Number(id), body })));
        more = messages.length > 0;
      }
      return rows;
    };

    const traffic = new Traffic(chat, { message: visitor, reply: olga });
    let isWalking = true;
    const asking = (async () => {
      for (; isWalking; await sleep(POLL_MS)) await polling.poll();
    })();

    // The one client without a page: it knows nothing but its cursor, and is cut off again and again.
    const observer = new ResumingObserver({
      baseUrl: beside.chatUrl,
      sessionId: chat,
      token: channelToken(chat, unixNow(), { kid: 'k1' }),
    });
    let isListening = false;
    const listening = (async () => {
      for (; isWalking; await sleep(100))
        if (isListening) await observer.attend('websocket', { afterMs: 3_000 }).catch(() => undefined);
    })();

    /** Everybody is shown a message of this moment, and before it all that the site has, once and in its order. */
    const allShow = async (step: string): Promise<void> => {
      await reload();
      const marker = await traffic.post(olga, `/chat/${chat}/reply`, step);
      for (const watcher of watchers) {
        const until = async (): Promise<boolean> => (await watcher.shown()).includes(marker);
        await expect.poll(until, { ...SHOWN, message: `${watcher.name}, ${step}` }).toBe(true);
      }
      const wanted = (await truth()).map(({ id }) => id).filter((id) => id <= marker);
      for (const watcher of watchers)
        expect(
          (await watcher.shown()).filter((id) => id <= marker),
          `${watcher.name}, ${step}`,
        ).toEqual(wanted);
    };
    /** Our widget has the newest messages of the site, each once and in the site's order. */
    const widgetShows = async (step: string): Promise<void> => {
      await freshGuest.goto(baseUrl);
      const widget = new WidgetPage(freshGuest);
      await widget.launcher.click();
      await traffic.post(olga, `/chat/${chat}/reply`, step);
      await expect.poll(() => widget.texts(), SHOWN).toContain(step);
      const bodies = (await truth()).map(({ body }) => body);
      const shown = await widget.texts();
      const until = bodies.indexOf(shown.at(-1) ?? '') + 1;
      expect(shown, step).toEqual(bodies.slice(until - shown.length, until));
    };
    const opened = async (step: string): Promise<string[]> => {
      sockets = [];
      await allShow(step);
      return [...new Set(sockets)].toSorted();
    };
    const messagesOf = (): number[] =>
      observer.shown.filter(({ type }) => type === 'chat.message').map(({ data }) => Number(data['id']));
    /** The client without a page has each message of the site once, whenever it was written. */
    const channelHasAll = async (step: string): Promise<void> => {
      const wanted = (await truth()).map(({ id }) => id);
      const has = (): number[] =>
        messagesOf()
          .filter((id) => wanted.includes(id))
          .toSorted((a, b) => a - b);
      await expect.poll(has, { timeout: 120_000, interval: 500, message: `the channel, ${step}` }).toEqual(wanted);
    };
    const stepOne = async (): Promise<void> => {
      await beside.triggers('in');
      await beside.chat.start();
      await beside.admin('table-source', 'backfill');
      isListening = true;
    };

    expect(await opened('before')).toEqual([]);
    await stepOne();
    expect(await opened('1 forward')).toEqual([]);
    await channelHasAll('1 forward');
    await beside.site.forward(STEPS[0]);
    expect(await opened('2 forward')).toEqual([]);
    // Each of the two ways that the guide has between 2 and 3, or in place of 3 and 4, and back from it.
    await beside.site.forward(SHADOW);
    expect(await opened('the shadow step')).toEqual(['customer']);
    await beside.site.back(SHADOW);
    await beside.site.forward(OUR_WIDGET);
    await widgetShows('our widget');
    await beside.site.back(OUR_WIDGET);
    await beside.site.forward(STEPS[1]);
    expect(await opened('3 forward')).toEqual(['customer']);
    await beside.site.forward(STEPS[2]);
    expect(await opened('4 forward')).toEqual(['customer', 'staff']);
    await beside.site.forward(STEPS[3]);
    expect(await opened('5 forward')).toEqual(['customer', 'staff']);
    await channelHasAll('5 forward');

    await beside.site.back(STEPS[3]);
    expect(await opened('5 back')).toEqual(['customer', 'staff']);
    await beside.site.back(STEPS[2]);
    expect(await opened('4 back')).toEqual(['customer']);
    await beside.site.back(STEPS[1]);
    expect(await opened('3 back')).toEqual([]);
    await beside.site.back(STEPS[0]);
    expect(await opened('2 back')).toEqual([]);
    isListening = false;
    await beside.triggers('out');
    await beside.chat.stop();
    expect(await opened('1 back')).toEqual([]);

    // Whoever went back may go again: what was written meanwhile is brought.
    await stepOne();
    expect(await opened('1 again')).toEqual([]);
    await traffic.stop();
    await channelHasAll('1 again');
    isWalking = false;
    await Promise.all([asking, listening]);
    await polling.poll();
    observer.close();

    const rows = await truth();
    expect([...traffic.faults, ...polling.faults]).toEqual([]);
    expect(
      rows
        .slice(1)
        .map(({ body }) => body)
        .toSorted(),
    ).toEqual(traffic.written.map(({ body }) => body).toSorted());
    expect(await polling.shown()).toEqual(rows.map(({ id }) => id));
    expect(observer.violations).toEqual([]);
    expect(new Set(messagesOf()).size).toBe(messagesOf().length);
  }, 1_200_000);
});
