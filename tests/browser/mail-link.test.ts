import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { identityToken } from '../support/tokens.ts';
import { useBrowser } from './browser.ts';
import { snippet, startHostPage } from './host-page.ts';
import { WidgetPage } from './widget-page.ts';

const CODE = 'code-of-a-mail';

describe('the link of a mail', { timeout: 120_000 }, async () => {
  const chat = await useChat('main');
  const anna = await chat.staff('anna');
  const { open } = useBrowser();
  const site = await startHostPage({ body: snippet(chat.baseUrl) });
  const next = await startHostPage({ body: snippet(chat.baseUrl) });

  /** A chat with an answer that its customer missed. No mail is sent here: the first use of its code is answered for it. */
  const mailed = async () => {
    const customer = await chat.customer();
    await customer.post('Подойдёт ли это для двоих?');
    await anna.send(customer.sessionId, 'Да, вполне.');
    const opened = await open();
    const asked: string[] = [];
    await opened.page.route('**/chat/mail/return', async (route) => {
      asked.push(route.request().postData() ?? '');
      // Used: the server itself refuses it.
      if (asked.length > 1) return route.continue();
      const session = (await customer.request('GET', '')).json();
      const expires_at = new Date(Date.now() + 3_600_000).toISOString();
      const headers = { 'access-control-allow-origin': '*' };
      return route.fulfill({ json: { session, token: customer.token, expires_at }, headers });
    });
    return { ...opened, asked, widget: new WidgetPage(opened.page), sessionId: customer.sessionId };
  };
  const addressOf = (page: Page): Promise<string> => page.evaluate(() => location.href);

  it('[MAIL6] opens the chat there, leaves no trace in the address, and works once', async () => {
    const { page, widget, asked, sessionId } = await mailed();
    await page.goto(`${site.url}#reviews&chat-return=${CODE}`);
    await widget.message('Да, вполне.').waitFor();
    expect(await addressOf(page)).toBe(`${site.url}#reviews`);
    expect(asked).toEqual([JSON.stringify({ code: CODE })]);
    expect(await widget.sessionId()).toBe(sessionId);
    await widget.say('Спасибо, беру.');
    await widget.state('Спасибо, беру.', 'отправлено');
    // The next page of the site has the chat without any link.
    await page.goto(next.url);
    await widget.message('Спасибо, беру.').waitFor();
    expect(asked).toHaveLength(1);
    await page.goto(`${site.url}#chat-return=${CODE}`);
    await widget.message('Спасибо, беру.').waitFor();
    await widget.panel.getByText('Ссылка из письма уже открыта или устарела').waitFor();
    expect(await addressOf(page)).toBe(site.url);
  });

  it('[MAIL6] leaves the chat of a signed-in customer alone', async () => {
    const { page, widget, asked } = await mailed();
    await page.goto(next.url);
    await widget.open();
    const token = await identityToken({ sub: `mail-link-${Date.now()}` });
    await page.evaluate(`chatWidget.identify({ getToken: () => Promise.resolve(${JSON.stringify(token)}) })`);
    await widget.say('Где мой заказ?');
    await widget.state('Где мой заказ?', 'отправлено');
    const own = await widget.sessionId();
    await page.goto(`${site.url}#chat-return=${CODE}`);
    await widget.panel.getByText('Ссылка из письма открывает чат гостя').waitFor();
    expect(await widget.sessionId()).toBe(own);
    expect(asked).toEqual([]);
  });
});
