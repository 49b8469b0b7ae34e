import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useVisitors } from './visitors.ts';
import { WidgetPage } from './widget-page.ts';

describe('one visitor in many tabs', async () => {
  const chat = await useChat('main');
  const { visit, url } = await useVisitors(chat.baseUrl);

  it('has one connection for six of them, each right, and another when the tab that holds it is closed', async () => {
    const first = await visit();
    const context = first.page.context();
    const open = new Map<Page, Set<string>>();
    const watch = (page: Page): void => {
      const sockets = new Set<string>();
      open.set(page, sockets);
      page.on('websocket', (socket) => {
        const name = crypto.randomUUID();
        sockets.add(name);
        socket.on('close', () => sockets.delete(name));
      });
      page.on('close', () => open.delete(page));
    };
    const connections = (): number[] => [...open.values()].map((sockets) => sockets.size);
    watch(first.page);
    await first.widget.open();
    await first.widget.say('из первой');
    await first.widget.state('из первой', 'отправлено');

    const tabs = [first.widget];
    for (let count = 2; count <= 6; count += 1) {
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      watch(page);
      await page.goto(url);
      const widget = new WidgetPage(page);
      await widget.open();
      tabs.push(widget);
    }
    const anna = await chat.staff('anna');
    const id = await first.widget.sessionId();
    const everywhere = async (texts: readonly string[]): Promise<void> => {
      for (const tab of tabs) await expect.poll(() => tab.texts()).toEqual(texts);
    };
    await anna.post(id, 'ответ всем');
    await everywhere(['из первой', 'ответ всем']);
    await tabs[3]?.say('из четвёртой');
    await everywhere(['из первой', 'ответ всем', 'из четвёртой']);
    await expect.poll(() => connections().toSorted()).toEqual([0, 0, 0, 0, 0, 1]);

    const leader = [...open].find(([, sockets]) => sockets.size === 1)?.[0];
    tabs.splice(
      tabs.findIndex((tab) => tab.page === leader),
      1,
    );
    await leader?.close();
    await anna.post(id, 'первой больше нет');
    await everywhere(['из первой', 'ответ всем', 'из четвёртой', 'первой больше нет']);
    await expect.poll(() => connections().toSorted()).toEqual([0, 0, 0, 0, 1]);
  });
});
