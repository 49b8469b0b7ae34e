import { until } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';

describe('search and card of the operator console', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  const desk = async (login: 'anna' | 'boris' | 'admin', options = {}) => {
    const opened = await open({ viewport: { width: 1440, height: 900 }, ...options });
    const console = new ConsolePage(opened.page, chat.baseUrl);
    await console.signIn(login);
    return { ...opened, console };
  };

  it('leads with the keyboard to the message found, highlighted, far back in the history', async () => {
    const { console, page } = await desk('anna');
    const one = await chat.customer({ name: 'Давний клиент' });
    await one.post('Прошу прислать счёт на лампу');
    const boris = await chat.staff('boris');
    for (let index = 0; index < 130; index += 1) await boris.post(one.sessionId, `сообщение ${index}`);
    await page.keyboard.press('/');
    await page.keyboard.type('счет на лампу');
    await page.locator('.results mark', { hasText: 'счёт на лампу' }).waitFor();
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate(() => document.activeElement?.classList.contains('session-row'))).toBe(true);
    await page.keyboard.press('ArrowUp');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('search');
    await page.keyboard.press('Enter');
    const found = page.locator('.message.found', { hasText: 'счёт на лампу' });
    await found.waitFor();
    await until(async () =>
      found.evaluate((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
      }),
    );
    await page.keyboard.type('ответ');
    expect(await console.field.inputValue()).toBe('ответ');
  });

  it('keeps the results up to date, and adds new matches', async () => {
    const { page } = await desk('anna');
    const word = `слово${Date.now().toString(36)}`;
    const one = await chat.customer({ name: `Первый ${word}` });
    await one.post('вопрос');
    await page.locator('#search').fill(word);
    const row = page.locator(`.results [data-session="${one.sessionId}"]`);
    await row.locator('.unread-count', { hasText: '1' }).waitFor();
    await one.post('ещё вопрос');
    await row.locator('.unread-count', { hasText: '2' }).waitFor();
    const other = await chat.customer({ name: 'Второй' });
    await other.post(`тоже ${word}`);
    await page.locator(`.results [data-session="${other.sessionId}"]`).waitFor();
  });

  it('lets operators edit the customer’s contact, and shows the page the customer is on', async () => {
    const { console, page } = await desk('anna');
    const one = await chat.customer({ page_url: 'https://shop.example/' });
    await one.post('вопрос');
    await chat.http.request('POST', `/chat/session/${one.sessionId}/page`, {
      token: one.token,
      json: { page_url: 'https://shop.example/cart' },
    });
    await console.openSession(one.sessionId);
    await page.locator('.card a', { hasText: 'https://shop.example/cart' }).waitFor();
    await page.getByRole('button', { name: 'Изменить имя, телефон, почту' }).click();
    await page.locator('.contact-form [name=email]').fill('не адрес');
    await page.locator('.contact-form [type=submit]').click();
    await page.locator('.contact-form .problem').waitFor();
    await page.locator('.contact-form [name=email]').fill('olga@example.com');
    await page.locator('.contact-form [name=name]').fill('Ольга');
    await page.locator('.contact-form [type=submit]').click();
    await page.locator('.chat-head h2', { hasText: 'Ольга' }).waitFor();
    await page.locator('.card a', { hasText: 'olga@example.com' }).waitFor();
    await page.locator('.contact-form').waitFor({ state: 'detached' });
  });
});
