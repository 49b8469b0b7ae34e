import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { ALLOWED_ORIGIN } from '../support/profiles.ts';
import { identityToken } from '../support/tokens.ts';
import { type Frame, picture } from './album/album.ts';
import { ADDRESS, type Login, startDesk } from './album/desk.ts';
import { askForCalls, ELENA, ELENA_ENDS } from './album/story.ts';
import { drawTelegram, TelegramChat } from './album/telegram.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { WidgetPage } from './widget-page.ts';

const FINE = { deviceScaleFactor: 1.5 };
const DESKTOP = { ...FINE, viewport: { width: 1280, height: 800 } };
const PHONE = { ...FINE, viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };
const LAMP = fileURLToPath(new URL('../../clients/demo-shop/src/art/lamp.svg', import.meta.url));
const CUSTOMER = { sub: 'customer-elena', name: 'Елена Морозова', email: 'elena@example.com' };

/** `npm run pictures`: no test of the product, but it fails where a picture cannot be taken as the documents say. */
describe('pictures of the documents', async () => {
  const desk = await startDesk();
  const { anna, boris } = desk.people;
  const { open } = useBrowser(desk.browser);
  let chat = 0;

  /** One page, and the same in the dark under another name. */
  const both = async (page: Page, name: string, frame: Frame = {}): Promise<void> => {
    await picture(page, name, frame);
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture(page, `${name}-dark`, frame);
    await page.emulateMedia({ colorScheme: 'light' });
  };
  const shop = async (options: object): Promise<{ page: Page; widget: WidgetPage }> => {
    const { page } = await open({ ...desk.look, ...options });
    await page.goto(`${ADDRESS}/`);
    const widget = new WidgetPage(page);
    await widget.launcher.waitFor();
    await page.evaluate(
      `chatWidget.identify({ getToken: () => Promise.resolve(${JSON.stringify(await identityToken(CUSTOMER))}) })`,
    );
    return { page, widget };
  };
  const console = async (login: Login, options: object = DESKTOP): Promise<ConsolePage> => {
    const { page } = await open({ ...desk.look, ...options });
    const opened = new ConsolePage(page, ADDRESS);
    await opened.signIn(login);
    return opened;
  };
  /** What a customer sends: the lamp, drawn by the browser from the shop's own art. */
  const photo = async (): Promise<Buffer> => {
    const { page } = await open({ viewport: { width: 320, height: 320 }, deviceScaleFactor: 0.75 });
    await page.goto(`file://${LAMP}`);
    return page.screenshot({ clip: { x: 0, y: 50, width: 320, height: 236 } });
  };

  it('a customer writes in the shop, on a computer and on a phone', async () => {
    const lamp = await photo();
    // Who is at the desk is seen in the widget.
    await console('anna');
    const { page, widget } = await shop({ viewport: DESKTOP.viewport });
    await widget.open();
    await widget.panel.getByText('На связи').waitFor();
    const [first, ...more] = ELENA;
    await widget.say(first.asks);
    await widget.state(first.asks, 'отправлено');
    chat = await widget.sessionId();
    await anna.act(chat, 'assign');
    await anna.post(chat, first.answer);
    await widget.message(first.answer).waitFor();
    for (const { asks, answer, lampToo } of more) {
      if (lampToo) {
        const file = { name: 'лампа.png', mimeType: 'image/png', buffer: lamp };
        await page.locator('chat-widget input[type=file]').setInputFiles(file);
        await widget.panel.locator('.upload.is-done').waitFor();
      }
      await widget.say(asks);
      await widget.message(asks).waitFor();
      if (lampToo) await widget.message(asks).locator('img').waitFor();
      await anna.post(chat, answer);
      await widget.message(answer).waitFor();
    }
    await widget.say(ELENA_ENDS);
    await widget.state(ELENA_ENDS, 'отправлено');
    // Shadows over art: a palette would show their steps.
    await both(page, 'widget-shop', { exact: true });

    const phone = await shop(PHONE);
    await phone.widget.launcher.click();
    await phone.widget.message(ELENA_ENDS).waitFor();
    await both(phone.page, 'widget-phone');
  });

  it('an operator answers in the console', async () => {
    const { page: entrance } = await open({ ...desk.look, ...FINE, viewport: { width: 760, height: 520 } });
    await entrance.goto(`${ADDRESS}/operator/`);
    await entrance.fill('input[name=login]', 'anna');
    await picture(entrance, 'login');

    await boris.note(chat, 'Третий заказ за год. Можно предложить скидку 5 %.');
    const [seat, colleague] = [await console('anna'), await console('boris')];
    const { page } = seat;
    await seat.go('#/replies');
    await seat.action('add-examples').click();
    await page.locator('[data-reply="спасибо"]').waitFor();
    await picture(page, 'quick-replies');

    await seat.openSession(chat, 'mine');
    await page.bringToFront();
    await seat.row(chat).locator('.unread-count').waitFor({ state: 'detached' });
    await page.locator('.message img').first().waitFor();
    await both(page, 'console');

    await seat.field.fill('/');
    await page.locator('.quick-menu [role=option]').nth(2).waitFor();
    await picture(page, 'quick-reply-menu', { around: '.quick-menu', margin: 12, above: 4, below: 170 });
    await seat.field.fill('');

    await colleague.openSession(chat);
    await seat.field.fill('Елена, оформляю две лампы. Адрес прежний?');
    await page.locator('.co-looking').waitFor();
    await boris.post(chat, 'Елена, здравствуйте! Могу оформить вам две лампы со скидкой 5 %.');
    await page.locator('.message .text', { hasText: 'со скидкой 5 %' }).waitFor();
    await seat.field.press('Enter');
    await page.locator('.stale blockquote').waitFor();
    await picture(page, 'overtaken', { around: '.conversation' });
    await page.locator('.stale .quiet').click();
    await seat.field.fill('');

    await page.locator('.status-button').click();
    await page.locator('.status-menu').waitFor();
    await picture(page, 'status', { around: '.status-menu', margin: 12, above: 48 });
    await seat.action('handover').click();
    await page.locator('dialog [data-presence=online]').first().waitFor();
    await picture(page, 'handover', { around: 'dialog', margin: 24 });
    await page.keyboard.press('Escape');

    await page.locator('.settings > button').click();
    await picture(page, 'settings', { around: '.menu', margin: 12 });
    await page.keyboard.press('Escape');
    await page.keyboard.press('Shift+?');
    await page.locator('dialog .keys').waitFor();
    await picture(page, 'shortcuts', { around: 'dialog', margin: 24 });
  });

  it('callbacks and alerts', async () => {
    const seat = await console('anna');
    const { page } = seat;
    await seat.userId();
    await askForCalls(desk);
    await page.reload();
    await page.waitForSelector('.rail');
    await seat.go('#/callbacks');
    await page.locator('.call').nth(4).waitFor();
    await picture(page, 'callbacks');
    await page.locator('[data-badge=alerts]').waitFor();
    await seat.go('#/alerts');
    await page.locator('.alert-row').nth(4).waitFor();
    await picture(page, 'alerts');
  });

  it('an operator goes from the code in the console to their first answer in Telegram', async () => {
    const { telegram } = desk;
    await telegram.ready(boris);
    const seat = await console('boris');
    const { page } = seat;
    await seat.go('#/notifications');
    await seat.action('bind-telegram').click();
    const section = '[data-section=telegram]';
    const login = await page.locator(`${section} pre`).textContent();
    await page.locator(`${section} [role=status]`).scrollIntoViewIfNeeded();
    await picture(page, 'telegram-code', { around: section, margin: 16 });

    const phone = telegram.person('Борис');
    const inTelegram = new TelegramChat(phone);
    inTelegram.says(login ?? '');
    inTelegram.shows(await telegram.shows(phone, 'Готово'));
    await page.locator(`${section}[data-bound=true]`).waitFor();
    await picture(page, 'telegram-bound', { around: section, margin: 16 });

    const visitor = await shop({ viewport: DESKTOP.viewport });
    await visitor.widget.open();
    const [question, answer] = ['Можно ли забрать лампу сегодня из магазина?', 'Да, до 21:00. Отложил для вас.'];
    await visitor.widget.say(question);
    const relayed = await telegram.shows(phone, question);
    inTelegram.shows(relayed);
    inTelegram.says(answer, relayed);
    await visitor.widget.message(answer).waitFor();
    const { page: screen } = await open({ ...desk.look, ...PHONE, viewport: { width: 390, height: 500 } });
    await drawTelegram(screen, inTelegram);
    await picture(screen, 'telegram-answer');
    await picture(visitor.page, 'telegram-answered', { around: 'chat-widget [role=dialog]' });
  });

  it('the console on a phone', async () => {
    const seat = await console('anna', PHONE);
    await seat.go('#/inbox/unassigned');
    await seat.page.locator('.session-row').first().waitFor();
    await picture(seat.page, 'console-phone-list');
    await seat.openSession(chat, 'mine');
    await picture(seat.page, 'console-phone-chat');
  });

  it('an administrator installs the widget', async () => {
    const seat = await console('admin');
    const { page } = seat;
    await seat.go('#/setup');
    await page.fill('[name=origin]', ALLOWED_ORIGIN);
    await page.locator('[data-verdict=allowed]').waitFor();
    await picture(page, 'setup');
    await page.fill('[name=accent]', '#2f5d50');
    await page.fill('[name="greeting.ru"]', 'Здравствуйте! Поможем выбрать и расскажем о доставке.');
    await page.setViewportSize({ width: 1280, height: 1000 });
    await page.locator('[data-section=look]').scrollIntoViewIfNeeded();
    await picture(page, 'setup-look', { around: '[data-section=look]', margin: 16 });
  });

  it('the page that breaks the chat and counts', async () => {
    const { page } = await open({ ...desk.look, ...FINE, viewport: { width: 1280, height: 860 } });
    await page.goto(ADDRESS + (await desk.tryPath()));
    await page.waitForSelector('#stage[aria-busy=false]');
    await page.frameLocator('#operator').locator('.chat-head').waitFor();
    const press = (name: string): Promise<void> => page.click(`[data-experiment=${name}]`);
    const shown = (count: number): Promise<void> =>
      page.locator('#verdict', { hasText: `Показано ${count} из ${count}` }).waitFor({ timeout: 60_000 });
    const idle = (): Promise<void> =>
      expect.poll(() => page.locator('[data-experiment][aria-disabled=true]').count()).toBe(0);
    await press('messages');
    await shown(101);
    await idle();
    await press('drop');
    await shown(102);
    await idle();
    // Known to be lost only when it has not come for a while.
    await expect.poll(() => page.textContent('[data-cell=listener-lost]')).toBe('1');
    await press('dispatcher');
    await page.getByText('Диспетчер остановлен').waitFor();
    await shown(112);
    await picture(page, 'try');
    // The point of the picture: it is still down, and nothing is missing.
    expect(await page.textContent('#state')).toContain('Диспетчер остановлен');
  });
});
