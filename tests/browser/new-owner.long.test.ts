import { tempFolder } from '@chat-realtime/testkit';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { StandaloneProcesses } from '../support/standalone-processes.ts';
import { accessibilityProblems } from './accessibility.ts';
import { afternoonZone } from './album/afternoon.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { startHostPage } from './host-page.ts';
import { type LookLanguage, Looks, speakInConsole } from './looks.ts';
import { WidgetPage } from './widget-page.ts';

const OWNER = { name: 'Вера', login: 'vera', password: 'a password of Vera' };
const OPERATOR = { name: 'Олег', login: 'oleg', password: 'a password of Oleg' };
const WORDS = {
  greeting: { ru: 'Здравствуйте! Вы в лавке «Лён и глина».', en: 'Hello! This is Linen & Clay.' },
  offlineNote: { ru: 'Мастерская закрыта. Ответим утром.', en: 'The workshop is closed. We answer in the morning.' },
} as const;
const QUESTION = 'Здравствуйте! Успеете к пятнице?';
const ANSWER = 'Добрый день! Да, отправим завтра.';

/** One command, and from then on browsers alone: what a new owner does, in every look of every step. */
describe('a new owner', () => {
  const chats = new StandaloneProcesses();
  const { open } = useBrowser();
  afterAll(() => chats.stopAll());

  it('goes from the demo to the first answered chat, with an operator, hours, texts and a site of their own', async () => {
    const { http, password } = await chats.start(tempFolder('new-owner'));
    const { page } = await open({ timezoneId: afternoonZone() });
    const owner = new ConsolePage(page, http.baseUrl);
    const violations = (shown: Page): Promise<string[]> => new ConsolePage(shown, http.baseUrl).violations();
    const looks = new Looks({ page, speak: speakInConsole, violations });

    await page.goto(`${http.baseUrl}/operator/`);
    await looks.show('01-sign-in', () => page.fill('input[name=login]', 'admin'));
    await page.fill('input[name=password]', password);
    await page.keyboard.press('Enter');
    await page.locator('.rail').waitFor();
    await owner.go('#/setup');
    const demo = page.locator('[data-section=demo]');
    await looks.show('02-begin', () => demo.waitFor());
    await looks.show('03-begin-asked', () => demo.locator('button.primary').click());
    await demo.getByRole('button', { name: 'Удалить демонстрацию и начать' }).click();

    await page.locator('form[aria-labelledby=invite-title] input[name=name]').waitFor();
    await looks.show('04-first-account', () => page.fill('input[name=name]', OWNER.name));
    await page.fill('input[name=login]', OWNER.login);
    await page.fill('input[name=password]', OWNER.password);
    await page.keyboard.press('Enter');
    await page.locator('.rail').waitFor();
    await looks.show('05-own-desk', () => page.locator('.empty').first().waitFor());

    await owner.go('#/team');
    await looks.show('06-invite', async () => {
      await owner.action('add-operator').click();
      await page.fill('.panel input[name=name]', OPERATOR.name);
      await page.fill('.panel input[name=login]', OPERATOR.login);
    });
    await page.locator('.panel button[type=submit]').click();
    const code = page.locator(`[data-invite="${OPERATOR.login}"] code`);
    await code.waitFor();
    // It is shown once: for each language it is made anew.
    await looks.show('07-link', async () => {
      await page.locator(`[data-operator="${OPERATOR.login}"] button[aria-expanded]`).click();
      await owner.action('new-link').click();
      await code.waitFor();
    });
    const link = await code.innerText();

    const { page: seat } = await open({ timezoneId: afternoonZone() });
    const operator = new ConsolePage(seat, http.baseUrl);
    const seatLooks = new Looks({ page: seat, speak: speakInConsole, violations });
    await seat.goto(link);
    await seatLooks.show('08-operator-joins', () => seat.locator('input[name=password]').waitFor());
    await seat.fill('input[name=password]', OPERATOR.password);
    await seat.keyboard.press('Enter');
    await seat.locator('.rail').waitFor();

    const today = await page.evaluate(() => new Intl.DateTimeFormat('en-CA').format());
    await owner.go('#/rules');
    const hours = page.locator('[data-section=schedule]');
    await looks.show('09-hours', async () => {
      await hours.locator('input[name=always]').uncheck();
      for (const day of ['sat', 'sun']) await hours.locator(`[data-day=${day}] input[type=checkbox]`).check();
      await hours.locator('input[name=holiday]').fill(today);
      await owner.action('add-holiday').click();
    });
    await hours.locator('[data-action=save]').click();
    await hours.locator('[data-action=clear]').waitFor();

    const site = await startHostPage({});
    const origins = page.locator('[data-section=origins]');
    await looks.show('10-site', async () => {
      await origins.locator('input[name=origin]').fill(site.url);
      await origins.locator('input[name=origin]').blur();
    });
    await origins.locator('[data-action=save]').click();
    await origins.locator('[data-action=clear]').waitFor();

    await owner.go('#/setup');
    const look = page.locator('[data-section=look]');
    await looks.show('11-texts', async () => {
      for (const [language, label] of [
        ['en', 'English'],
        ['ru', 'Русский'],
      ] as const) {
        await look.getByRole('button', { name: label }).click();
        for (const name of ['greeting', 'offlineNote'] as const)
          await look.locator(`[name="${name}.${language}"]`).fill(WORDS[name][language]);
      }
    });
    await owner.action('save-look').click();
    await page.locator('.notice, [role=status]', { hasText: /\S/ }).first().waitFor();

    // What the page says to paste, on a page in each language.
    const snippet = await page.locator('[data-section=snippet] code').innerText();
    const localized = (language: LookLanguage): string =>
      snippet.replace('<script', `<script data-locale="${language}"`);
    const pages = {
      ru: await startHostPage({ body: localized('ru') }),
      en: await startHostPage({ body: localized('en') }),
    };
    const { page: shop } = await open({ timezoneId: afternoonZone() });
    const field = { ru: 'Сообщение', en: 'Message' };
    const speakOnSite = async (shown: Page, language: LookLanguage): Promise<void> => {
      await shown.goto(pages[language].url);
      await new WidgetPage(shown, { field: field[language] }).launcher.waitFor();
    };
    const shopLooks = new Looks({ page: shop, speak: speakOnSite, violations: accessibilityProblems });
    const visitor = new WidgetPage(shop);
    const opened = async (language: LookLanguage): Promise<WidgetPage> => {
      const widget = new WidgetPage(shop, { field: field[language] });
      // It remembers that it was open.
      if (!(await widget.panel.isVisible())) await widget.launcher.click();
      await widget.field.waitFor();
      return widget;
    };
    await shopLooks.show('12-customer-on-a-holiday', async (language) => {
      const widget = await opened(language);
      for (const name of ['greeting', 'offlineNote'] as const)
        await widget.panel.getByText(WORDS[name][language]).first().waitFor();
    });

    await owner.go('#/rules');
    await hours.locator('.chips button').click();
    await hours.locator('[data-action=save]').click();
    await expect.poll(async () => (await http.get('/chat/config')).json()).toMatchObject({ online: true });
    await speakOnSite(shop, 'ru');
    await opened('ru');
    await visitor.say(QUESTION);
    await visitor.stored(QUESTION);
    await shopLooks.show('13-customer-wrote', async (language) => {
      const widget = await opened(language);
      await widget.message(QUESTION).waitFor();
    });
    const chat = await visitor.sessionId();

    await seatLooks.show('14-operator-sees', () => operator.row(chat).waitFor());
    await operator.row(chat).click();
    await operator.messages.filter({ hasText: QUESTION }).waitFor();
    await seatLooks.show('15-operator-writes', async () => {
      await operator.messages.filter({ hasText: QUESTION }).waitFor();
      await operator.field.fill(ANSWER);
    });
    await operator.field.press('Enter');
    await visitor.message(ANSWER).waitFor();
    await shopLooks.show('16-customer-has-the-answer', async (language) => {
      const widget = await opened(language);
      await widget.message(ANSWER).waitFor();
      await widget.panel.getByText(OPERATOR.name).first().waitFor();
    });
    await seatLooks.show('17-answered', () => operator.messages.filter({ hasText: ANSWER }).waitFor());

    expect({ ...looks.found, ...seatLooks.found, ...shopLooks.found }).toEqual({});
  }, 900_000);
});
