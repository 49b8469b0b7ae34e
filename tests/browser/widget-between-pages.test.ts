import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { identityToken } from '../support/tokens.ts';
import { useBrowser } from './browser.ts';
import { snippet, startHostPage } from './host-page.ts';
import { WidgetPage } from './widget-page.ts';

const STUB =
  '<script>(function(w){var q=[],c={q:q};"init identify logout open send on".split(" ").forEach(function(m){c[m]=function(){' +
  'var a=arguments;return new Promise(function(r,j){q.push([m,a,r,j])})}});w.chatWidget=c})(window);</script>';
const FIELD = '<input aria-label="Поле сайта" autofocus>';

/** Where the focus is, as the page sees it. */
const focused = (page: Page): Promise<string | null | undefined> =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.localName);

describe('the widget from one page of a site to the next', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();
  const second = await startHostPage({ body: FIELD + snippet(chat.baseUrl) });
  const first = await startHostPage({ body: `<a href="${second.url}">Дальше</a>${snippet(chat.baseUrl)}` });
  const visit = async (options = {}) => {
    const opened = await open(options);
    await opened.page.goto(first.url);
    const widget = new WidgetPage(opened.page);
    await widget.launcher.waitFor();
    return { ...opened, widget };
  };

  it('stays open with the draft, and leaves the focus to the page', async () => {
    const { page, widget } = await visit();
    await widget.open();
    await widget.consent.check();
    await widget.field.fill('Подойдёт ли это для\nдвоих?');
    await page.getByRole('link', { name: 'Дальше' }).click();
    await page.waitForURL(second.url);
    await widget.field.waitFor();
    expect(await widget.field.inputValue()).toBe('Подойдёт ли это для\nдвоих?');
    await widget.consent.waitFor();
    expect(await widget.consent.isChecked()).toBe(true);
    expect(await focused(page)).toBe('Поле сайта');
    // Both lines are in sight.
    await expect.poll(() => widget.field.evaluate((field) => field.clientHeight)).toBeGreaterThan(50);

    await page.goBack();
    await widget.field.waitFor();
    expect(await widget.field.inputValue()).toContain('двоих');
    await page.reload();
    await widget.field.waitFor();
    await widget.consent.waitFor();
    expect(await widget.consent.isChecked()).toBe(true);
    await widget.field.press('Enter');
    await widget.state('двоих', 'отправлено');
    await page.reload();
    await widget.message('двоих').waitFor();
    expect(await widget.field.inputValue()).toBe('');
  });

  it('stays closed when it was closed, and still has the text', async () => {
    const { page, widget } = await visit();
    await widget.open();
    await widget.panel.getByRole('button', { name: 'Заказать звонок' }).click();
    await widget.panel.getByRole('textbox', { name: 'Телефон' }).fill('+7 900 123-45-67');
    await widget.panel.getByRole('textbox', { name: 'Комментарий' }).fill('после обеда');
    await page.reload();
    await widget.panel.getByRole('textbox', { name: 'Комментарий' }).waitFor();
    expect(await widget.panel.getByRole('textbox', { name: 'Комментарий' }).inputValue()).toBe('после обеда');
    expect(await widget.panel.getByRole('textbox', { name: 'Телефон' }).inputValue()).toBe('+7 900 123-45-67');
    await widget.panel.getByRole('button', { name: 'Закрыть чат' }).click();
    await page.goto(second.url);
    await widget.launcher.waitFor();
    await page.waitForTimeout(500);
    expect(await widget.launcher.getAttribute('aria-expanded')).toBe('false');
    await widget.launcher.click();
    expect(await widget.panel.getByRole('textbox', { name: 'Комментарий' }).inputValue()).toBe('после обеда');
  });

  it('is closed on the next page on a phone, which it would hide, and keeps the text', async () => {
    const { page, widget } = await visit({ viewport: { width: 390, height: 700 }, isMobile: true, hasTouch: true });
    await widget.open();
    await widget.field.fill('с телефона');
    await page.goto(second.url);
    await widget.launcher.waitFor();
    await page.waitForTimeout(500);
    expect(await widget.launcher.getAttribute('aria-expanded')).toBe('false');
    await widget.launcher.click();
    await widget.field.waitFor();
    expect(await widget.field.inputValue()).toBe('с телефона');
  });
});

describe('the widget after a sign-out on the server', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();
  const token = await identityToken({ sub: `customer-${process.pid}-${process.hrtime.bigint()}` });
  const signedIn = await startHostPage({
    body: `${STUB}<script>chatWidget.identify({getToken:function(){return Promise.resolve(${JSON.stringify(token)})}})</script>${snippet(chat.baseUrl, 'data-signed-in="true"')}`,
  });
  const nobody = await startHostPage({ body: snippet(chat.baseUrl) });
  const guest = await startHostPage({ body: snippet(chat.baseUrl, 'data-signed-in="false"') });

  it("shows the next guest nothing of the customer's chat, and gives it back to the customer", async () => {
    const { page } = await open();
    const widget = new WidgetPage(page);
    await page.goto(signedIn.url);
    await widget.open();
    await widget.say('мой заказ 17');
    await widget.state('мой заказ 17', 'отправлено');
    const id = await widget.sessionId();
    const anna = await chat.staff('anna');
    await page.waitForFunction(() =>
      /"customer":true/.test(localStorage.getItem('chat-realtime:default:session') ?? ''),
    );
    await widget.field.fill('ещё не отправлено');

    await page.goto(nobody.url);
    await anna.post(id, 'Ответ по заказу 17');
    await widget.field.waitFor();
    await page.waitForTimeout(1_000);
    expect(await page.locator('chat-widget').getByText('заказ').count()).toBe(0);
    expect(await widget.messages.count()).toBe(0);
    expect(await widget.field.inputValue()).toBe('');
    expect(await widget.launcher.locator('.count').textContent()).toBe('');

    await page.goto(signedIn.url);
    await widget.message('Ответ по заказу 17').waitFor();
    expect(await widget.sessionId()).toBe(id);

    await page.goto(nobody.url);
    await widget.field.waitFor();
    await widget.say('я другой человек');
    await widget.state('я другой человек', 'отправлено');
    expect(await widget.sessionId()).not.toBe(id);
    await page.goto(guest.url);
    await widget.message('я другой человек').waitFor();
    expect(await widget.texts()).toEqual(['я другой человек']);
    expect((await anna.messages(id)).messages.map(({ body }) => body)).toEqual(['мой заказ 17', 'Ответ по заказу 17']);
  });

  it("forgets a customer's chat on a page that says nobody is signed in", async () => {
    const { page } = await open();
    const widget = new WidgetPage(page);
    await page.goto(signedIn.url);
    await widget.open();
    await page.waitForFunction(() =>
      /"customer":true/.test(localStorage.getItem('chat-realtime:default:session') ?? ''),
    );
    await page.goto(guest.url);
    await widget.field.waitFor();
    await expect.poll(() => page.evaluate(() => localStorage.getItem('chat-realtime:default:session'))).toBeNull();
  });
});
