import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { ALLOWED_ORIGIN } from '../support/profiles.ts';
import { identityToken } from '../support/tokens.ts';
import { type Frame, picture } from './album/album.ts';
import { ADDRESS, type Login, startDesk } from './album/desk.ts';
import { askForCalls } from './album/story.ts';
import { drawTelegram, TelegramChat } from './album/telegram.ts';
import { LANGUAGE, WORDS } from './album/words.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { WidgetPage } from './widget-page.ts';

const FINE = { deviceScaleFactor: 1.5 };
const DESKTOP = { ...FINE, viewport: { width: 1280, height: 800 } };
const PHONE = { ...FINE, viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };
const LAMP = fileURLToPath(new URL('../../clients/demo-shop/src/art/lamp.svg', import.meta.url));
/** In English there are those of the operator's guide, and the shop. */
const russian = LANGUAGE === 'ru';

/**
 * `npm run pictures`, and with `-- --mode en` in English: no test of the product, but it fails where a picture cannot
 * be taken as the documents say.
 */
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
  /** The customer of the album, or a guest. */
  const shop = async (options: object, guest = false): Promise<{ page: Page; widget: WidgetPage }> => {
    const { page } = await open({ ...desk.look, ...options });
    await page.goto(`${ADDRESS}/${russian ? '' : '?lang=en'}`);
    const widget = new WidgetPage(page, WORDS.widget);
    await widget.launcher.waitFor();
    if (guest) return { page, widget };
    await page.evaluate(
      `chatWidget.identify({ getToken: () => Promise.resolve(${JSON.stringify(await identityToken(WORDS.customer))}) })`,
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
    await widget.panel.getByText(WORDS.widget.online).waitFor();
    const [first, ...more] = WORDS.talk;
    await widget.say(first.asks);
    await widget.state(first.asks, WORDS.widget.sent);
    chat = await widget.sessionId();
    await anna.act(chat, 'assign');
    await anna.post(chat, first.answer);
    await widget.message(first.answer).waitFor();
    for (const { asks, answer, lampToo } of more) {
      if (lampToo) {
        const file = { name: WORDS.lampFile, mimeType: 'image/png', buffer: lamp };
        await page.locator('chat-widget input[type=file]').setInputFiles(file);
        await widget.panel.locator('.upload.is-done').waitFor();
      }
      await widget.say(asks);
      await widget.stored(asks);
      if (lampToo) await widget.message(asks).locator('img').waitFor();
      await anna.post(chat, answer);
      await widget.message(answer).waitFor();
    }
    await widget.say(WORDS.ends);
    await widget.state(WORDS.ends, WORDS.widget.sent);
    // Shadows over art: a palette would show their steps.
    if (!russian) {
      await picture(page, 'widget-shop', { exact: true });
      return;
    }
    await both(page, 'widget-shop', { exact: true });

    const phone = await shop(PHONE);
    await phone.widget.launcher.click();
    await phone.widget.message(WORDS.ends).waitFor();
    await both(phone.page, 'widget-phone');
  });

  it('an operator answers in the console', async () => {
    const { page: entrance } = await open({ ...desk.look, ...FINE, viewport: { width: 760, height: 520 } });
    await entrance.goto(`${ADDRESS}/operator/`);
    await entrance.fill('input[name=login]', 'anna');
    await picture(entrance, 'login');

    await boris.note(chat, WORDS.note);
    const [seat, colleague] = [await console('anna'), await console('boris')];
    const { page } = seat;
    await seat.go('#/replies');
    await seat.action('add-examples').click();
    await page.locator(`[data-reply="${WORDS.lastExample}"]`).waitFor();
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
    await seat.field.fill(WORDS.begun);
    await page.locator('.co-looking').waitFor();
    await boris.post(chat, WORDS.colleagueWas.quicker);
    await page.locator('.message .text', { hasText: WORDS.colleagueWas.seenBy }).waitFor();
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

    const phone = telegram.person(WORDS.telegram.person, LANGUAGE);
    const inTelegram = new TelegramChat(phone);
    inTelegram.says(login ?? '');
    inTelegram.shows(await telegram.shows(phone, WORDS.telegram.bound));
    await page.locator(`${section}[data-bound=true]`).waitFor();
    await picture(page, 'telegram-bound', { around: section, margin: 16 });

    // Somebody else's chat, which is nobody's yet: it comes to whoever is on duty.
    const visitor = await shop({ viewport: DESKTOP.viewport }, true);
    await visitor.widget.open();
    const { question, answer } = WORDS.telegram;
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
    await page.fill(`[name="greeting.${LANGUAGE}"]`, WORDS.greeting);
    await page.setViewportSize({ width: 1280, height: 1000 });
    await page.locator('[data-section=look]').scrollIntoViewIfNeeded();
    await picture(page, 'setup-look', { around: '[data-section=look]', margin: 16 });
  });

  it.runIf(russian)('the page that breaks the chat and counts', async () => {
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
