import type { Request } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';

describe('a console that is open while a new version is deployed', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  it('says so when it becomes visible again, and loses no draft by reloading', async () => {
    const { page } = await open();
    const console = new ConsolePage(page, chat.baseUrl);
    await console.signIn('anna');
    const { sessionId } = await chat.customer({ name: 'Клиент' }).then(async (one) => {
      await one.post('Здравствуйте');
      return one;
    });
    await console.openSession(sessionId);
    await console.field.fill('недописанный ответ');

    await page.route('**/operator/', async (route) => {
      // Only the question of the running page: its reload gets the page that is really there.
      if (route.request().isNavigationRequest()) return route.continue();
      const answer = await route.fetch();
      return route.fulfill({
        response: answer,
        body: (await answer.text()).replace(/index-[\w-]+\.js/, 'index-new.js'),
      });
    });
    await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
    const notice = page.locator('.banner', { hasText: 'Вышла новая версия' });
    await notice.waitFor();
    await notice.getByRole('button', { name: 'Обновить' }).click();
    await notice.waitFor({ state: 'detached' });
    await page.waitForSelector('.chat-head');
    expect(await console.field.inputValue()).toBe('недописанный ответ');
  });

  it('says nothing while its own version is there, or when nothing answers', async () => {
    for (const gone of [false, true]) {
      const { page } = await open();
      const console = new ConsolePage(page, chat.baseUrl);
      await console.signIn('anna');
      await page.route('**/operator/', (route) => (gone ? route.abort() : route.continue()));
      const isPage = (request: Request): boolean => request.url().endsWith('/operator/');
      const answered = gone ? page.waitForEvent('requestfailed', isPage) : page.waitForEvent('requestfinished', isPage);
      await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
      await answered;
      await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
      expect(await page.locator('.banner').count()).toBe(0);
    }
  });
});
