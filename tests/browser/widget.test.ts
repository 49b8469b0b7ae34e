import type { Route, WebSocket } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { fileThatIsTooLarge } from '../support/files.ts';
import { FOREIGN_HOST, useBrowser } from './browser.ts';
import { snippet, startHostPage } from './host-page.ts';
import { PNG } from './pictures.ts';
import { WidgetPage } from './widget-page.ts';

const XSS = [
  '<img src=x onerror="document.title=1">',
  '<script>document.title=1</script>',
  '"><svg onload=document.title=1>',
  'javascript:alert(1)',
  '[x](javascript:alert(1))',
  '<a href="data:text/html,<script>1</script>">x</a>',
];

describe('the widget in a page of another site', async () => {
  const chat = await useChat('main', { survives: true });
  const { open } = useBrowser();
  const plain = await startHostPage({ body: snippet(chat.baseUrl) });

  const visit = async (options = {}, url = plain.url) => {
    const opened = await open(options);
    await opened.page.goto(url);
    const widget = new WidgetPage(opened.page);
    await widget.launcher.waitFor();
    return { ...opened, widget };
  };

  it('requests nothing but itself and stores nothing before the visitor acts', async () => {
    const { page, requests, widget } = await visit();
    await page.mouse.move(200, 200);
    await page.waitForTimeout(1_500);
    expect(requests).toEqual([plain.url, `${chat.baseUrl}/widget/v1/loader.js`]);
    const traces = await page.evaluate(async () => ({
      local: localStorage.length,
      session: sessionStorage.length,
      cookie: document.cookie,
      databases: (await indexedDB.databases()).length,
      children: [...document.body.children].map((child) => child.localName),
    }));
    expect(traces).toEqual({
      local: 0,
      session: 0,
      cookie: '',
      databases: 0,
      children: ['main', 'script', 'chat-widget'],
    });
    expect(await page.context().cookies()).toEqual([]);
    expect(await widget.launcher.getAttribute('aria-label')).toBe('Открыть чат');
  });

  it('carries a whole conversation, counts unread messages and keeps it across a reload', async () => {
    const { page, widget, problems } = await visit();
    const anna = await chat.staff('anna');
    await widget.open();
    await widget.field.fill('Есть ли доставка?');
    await widget.field.press('Enter');
    await widget.panel.getByText('Отметьте согласие').waitFor();
    await widget.say('Есть ли доставка?');
    await widget.state('Есть ли доставка?', 'отправлено');
    const id = await widget.sessionId();
    await anna.http.post(`/chat/session/${id}/assign`, { token: anna.token, json: {} });
    const answer = await anna.post(id, 'Да, за три дня.');
    await widget.message('Да, за три дня.').waitFor();
    await widget.state('Есть ли доставка?', 'прочитано');
    await widget.panel.getByRole('heading', { name: 'Анна' }).waitFor();
    await expect.poll(async () => (await anna.row(id)).client_last_seen_id).toBeGreaterThanOrEqual(answer.id);

    await page.keyboard.press('Escape');
    await anna.post(id, 'Что-нибудь ещё?');
    await anna.post(id, 'Мы рядом.');
    await expect.poll(() => widget.launcher.getAttribute('aria-label')).toBe('Открыть чат, 2 новых сообщения');
    await page.reload();
    await expect.poll(() => widget.launcher.getAttribute('aria-label')).toBe('Открыть чат, 2 новых сообщения');
    await widget.open();
    await expect
      .poll(() => widget.messages.locator('.body').allTextContents())
      .toEqual(['Есть ли доставка?', 'Да, за три дня.', 'Что-нибудь ещё?', 'Мы рядом.']);
    await expect.poll(() => widget.launcher.getAttribute('aria-label')).toBe('Закрыть чат');
    expect(problems).toEqual([]);
  });

  it('keeps messages written without a network, shows that after two seconds, and sends them when the network is back', async () => {
    const { page, widget } = await visit();
    await widget.open();
    await widget.say('раз');
    await widget.state('раз', 'отправлено');
    await page.context().setOffline(true);
    await widget.say('два');
    await widget.state('два', 'отправляется');
    await widget.panel.getByText('Нет связи').waitFor();
    await page.context().setOffline(false);
    await widget.state('два', 'отправлено');
    await expect.poll(() => widget.panel.getByText('Нет связи').count()).toBe(0);
    const anna = await chat.staff('anna');
    const stored = await anna.messages(await widget.sessionId());
    expect(stored.messages.map((message) => message.body)).toEqual(['раз', 'два']);
  });

  it('shows a message the server refuses as failed, and sends it again on demand', async () => {
    const { page, widget } = await visit();
    await widget.open();
    await widget.say('первое');
    await widget.state('первое', 'отправлено');
    const refuse = (route: Route) =>
      route.request().method() === 'POST'
        ? route.fulfill({
            status: 422,
            headers: { 'access-control-allow-origin': '*' },
            json: { error: { code: 'validation_failed', message: 'no', request_id: 'x' } },
          })
        : route.continue();
    await page.route('**/messages', refuse);
    await widget.say('второе');
    await widget.state('второе', 'не отправлено');
    await page.unroute('**/messages', refuse);
    await widget.message('второе').getByRole('button', { name: 'Повторить' }).click();
    await widget.state('второе', 'отправлено');
  });

  it('is used with the keyboard alone, and gives the focus back', async () => {
    const { page, widget } = await visit();
    const focused = () =>
      page.evaluate(() => {
        const inside = document.querySelector('chat-widget')?.shadowRoot?.activeElement;
        return (
          inside?.getAttribute('aria-label') ?? inside?.getAttribute('name') ?? document.activeElement?.textContent
        );
      });
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Своя кнопка');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Открыть чат');
    await page.keyboard.press('Enter');
    await widget.field.waitFor();
    await expect.poll(focused).toBe('Сообщение');
    await widget.consent.waitFor();
    await page.keyboard.type('с клавиатуры');
    await page.keyboard.press('Enter');
    await expect.poll(focused).toBe('consent');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Сообщение');
    await page.keyboard.press('Enter');
    await widget.state('с клавиатуры', 'отправлено');
    expect(await focused()).toBe('Сообщение');
    await page.keyboard.press('Escape');
    expect(await focused()).toBe('Открыть чат');
    expect(await widget.panel.isVisible()).toBe(false);
  });

  it('works under a policy that allows only the chat, without one violation', async () => {
    const ws = chat.baseUrl.replace('http', 'ws');
    const page = await startHostPage({
      body: snippet(chat.baseUrl),
      policy: `default-src 'none'; script-src ${chat.baseUrl}; connect-src ${chat.baseUrl} ${ws}; img-src ${chat.baseUrl} data:`,
    });
    const { widget, problems } = await visit({}, page.url);
    await widget.open();
    await widget.say('под строгой политикой');
    await widget.state('под строгой политикой', 'отправлено');
    const width = await widget.panel.evaluate((panel) => panel.getBoundingClientRect().width);
    expect(width).toBe(384);
    expect(problems).toEqual([]);
  });

  it('shows whatever an operator sends as text', async () => {
    const { page, widget, problems } = await visit();
    await widget.open();
    await widget.say(XSS[0] ?? '');
    await widget.messages.first().waitFor();
    await widget.state('img', 'отправлено');
    const id = await widget.sessionId();
    const anna = await chat.staff('anna');
    for (const text of XSS) await anna.post(id, text);
    await expect.poll(() => widget.messages.locator('.body').allTextContents()).toEqual([XSS[0], ...XSS]);
    expect(await widget.panel.locator('article :is(script, img, svg[onload], a)').count()).toBe(0);
    expect(await page.title()).toBe('Сайт');
    expect(problems).toEqual([]);
  });

  it('sends a picture, shows it large, and gives the focus back', async () => {
    const { page, widget } = await visit();
    await widget.open();
    await widget.consent.check();
    await widget.panel
      .locator('input[type=file]')
      .setInputFiles({ name: 'фото.png', mimeType: 'image/png', buffer: PNG });
    await widget.panel.locator('.upload.is-done').waitFor();
    await widget.field.fill('вот оно');
    await widget.field.press('Enter');
    await widget.state('вот оно', 'отправлено');
    const picture = widget.panel.getByRole('button', { name: 'Открыть изображение фото.png' });
    await picture.click();
    await widget.panel.getByRole('dialog', { name: 'фото.png' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await widget.panel.getByRole('dialog').count()).toBe(0);
    expect(await picture.evaluate((button) => (button.getRootNode() as ShadowRoot).activeElement === button)).toBe(
      true,
    );
  });

  it('refuses a file that is too large before sending a byte of it', async () => {
    const { widget, requests } = await visit();
    await widget.open();
    await widget.consent.check();
    await widget.panel.locator('input[type=file]').setInputFiles(fileThatIsTooLarge('много.zip'));
    await widget.panel.locator('.composer > .error').getByText('много.zip: больше 10 МБ').waitFor();
    expect(requests.some((url) => url.includes('/attachments'))).toBe(false);
  });

  it('accepts a callback request', async () => {
    const { widget } = await visit();
    await widget.open();
    await widget.panel.getByRole('button', { name: 'Заказать звонок' }).click();
    await widget.panel.getByRole('textbox', { name: 'Телефон' }).fill('8 916 765-43-21');
    await widget.panel.getByRole('button', { name: 'Жду звонка' }).click();
    await widget.panel.getByText('Отметьте согласие').waitFor();
    await widget.consent.check();
    await widget.panel.getByRole('button', { name: 'Жду звонка' }).click();
    await widget.panel.getByText('Заявка принята. Позвоним на 8 916 765-43-21').waitFor();
    const anna = await chat.staff('anna');
    const answer = await anna.http.get('/chat/callbacks?status=new', { token: anna.token });
    expect(answer.text).toContain('+79167654321');
  });

  it('fills the screen of a phone', async () => {
    const { page, widget } = await visit({ viewport: { width: 390, height: 700 }, isMobile: true, hasTouch: true });
    await widget.open();
    const box = await widget.panel.boundingBox();
    expect(box).toEqual({ x: 0, y: 0, width: 390, height: 700 });
    expect(await widget.panel.getAttribute('aria-modal')).toBe('true');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    // A keyboard leaves the page its size and makes what is seen of it smaller; headless Chromium has none to show.
    const seen = { top: 40, height: 330 };
    await page.evaluate(({ top, height }) => {
      const view = window.visualViewport;
      if (view === null) throw new Error('no visual viewport');
      Object.defineProperty(view, 'offsetTop', { configurable: true, value: top });
      Object.defineProperty(view, 'height', { configurable: true, value: height });
      view.dispatchEvent(new Event('resize'));
    }, seen);
    await expect.poll(() => widget.panel.boundingBox()).toEqual({ x: 0, y: 40, width: 390, height: 330 });
    const field = await widget.field.boundingBox();
    expect((field?.y ?? 0) + (field?.height ?? 0)).toBeLessThanOrEqual(370);
    expect(field?.y).toBeGreaterThanOrEqual(40);
    for (let step = 0; step < 12; step += 1) await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe('chat-widget');
  });

  it('replays the calls that were made before it was loaded, in order', async () => {
    const stub =
      `<script>(function(w){var q=[],c={q:q};"init on open setLocale send".split(" ").forEach(function(m){c[m]=function(){` +
      `var a=arguments;return new Promise(function(r,j){q.push([m,a,r,j])})}});w.chatWidget=c})(window);` +
      `window.seen=[];chatWidget.on("open",function(){seen.push("open")});chatWidget.setLocale("en");` +
      `chatWidget.open({draft:"hello"}).then(function(){seen.push("opened")});` +
      `chatWidget.send("from the page").then(function(m){seen.push(typeof m.messageId)})</script>`;
    const page = await startHostPage({ body: stub + snippet(chat.baseUrl) });
    const opened = await open();
    await opened.page.goto(page.url);
    const field = opened.page.getByRole('textbox', { name: 'Message' });
    await field.waitFor();
    expect(await field.inputValue()).toBe('hello');
    await expect.poll(() => opened.page.evaluate('seen')).toEqual(['open', 'opened', 'number']);
  });

  it('leaves nothing behind when destroyed, and can start again', async () => {
    const { page, widget, problems } = await visit();
    const before = await page.evaluate(() => Object.keys(window).length);
    const sockets: WebSocket[] = [];
    page.on('websocket', (socket) => sockets.push(socket));
    await page.evaluate('chatWidget.on("connection", (event) => { document.title = event.status })');
    await widget.open();
    await widget.say('до конца');
    await widget.state('до конца', 'отправлено');
    // A message is stored by REST, perhaps before the connection stands: a socket ended while it opens is an error to
    // browsers.
    await expect.poll(() => page.title()).toBe('online');
    expect(sockets.length).toBeGreaterThan(0);
    await page.evaluate('chatWidget.destroy()');
    await expect.poll(() => sockets.every((socket) => socket.isClosed())).toBe(true);
    expect(await page.evaluate(() => [document.querySelector('chat-widget'), 'chatWidget' in window])).toEqual([
      null,
      false,
    ]);
    expect(await page.evaluate(() => Object.keys(window).length)).toBe(before - 1);
    await page.addScriptTag({ url: `${chat.baseUrl}/widget/v1/loader.js` });
    await widget.open();
    await widget.message('до конца').waitFor();
    expect(problems).toEqual([]);
  });

  it('logs which setting would allow a refused page', async () => {
    const foreign = new URL(plain.url);
    foreign.hostname = FOREIGN_HOST;
    const { widget, problems } = await visit({}, foreign.href);
    await widget.launcher.click();
    await expect.poll(() => problems.join('\n')).toContain(`ALLOWED_ORIGINS=${foreign.origin}`);
  });
});
