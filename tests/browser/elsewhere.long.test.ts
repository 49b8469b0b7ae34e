import { FakeBotApi, HttpClient, type SmtpDouble, startSmtp, until } from '@chat-realtime/testkit';
import { simpleParser } from 'mailparser';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';
import { TelegramDesk } from '../support/telegram-desk.ts';
import { accessibilityProblems } from './accessibility.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { WidgetPage } from './widget-page.ts';

const LOOKS = [
  { name: 'ru-desktop-light', locale: 'ru-RU', colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  { name: 'ru-phone-dark', locale: 'ru-RU', colorScheme: 'dark', viewport: { width: 390, height: 780 } },
  { name: 'en-desktop-dark', locale: 'en-GB', colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  { name: 'en-phone-light', locale: 'en-GB', colorScheme: 'light', viewport: { width: 390, height: 780 } },
] as const;

describe('a conversation that continues elsewhere, as people see it', { timeout: 180_000 }, () => {
  let api: FakeBotApi;
  let smtp: SmtpDouble;
  let target: StandaloneTarget;
  let http: HttpClient;
  let desk: TelegramDesk;
  const { open } = useBrowser();

  beforeAll(async () => {
    [api, smtp] = [await FakeBotApi.start(), await startSmtp()];
    target = await startStandalone(
      { profile: 'main', webhookUrl: '', siteOrigin: '' },
      {
        TELEGRAM_BOT_TOKEN: api.token,
        TELEGRAM_API_ROOT: api.url,
        SMTP_URL: smtp.url,
        PUBLIC_URL: 'https://chat.shop.example',
        DEMO: 'auto',
      },
    );
    http = new HttpClient(target.baseUrl);
    desk = new TelegramDesk(http, api);
    await desk.ready(await desk.staff('anna'));
  }, 180_000);
  afterAll(async () => {
    http?.close();
    await target?.stop();
    await smtp?.stop();
    await api?.stop();
  });

  const begun = async (text: string, options: object = {}) => {
    const opened = await open(options);
    await opened.page.goto(`${target.baseUrl}/`);
    const widget = new WidgetPage(opened.page);
    await widget.open();
    await widget.say(text);
    await widget.state(text, 'отправлено');
    await widget.panel.getByRole('button', { name: 'Сохранить переписку' }).click();
    return { ...opened, widget, keep: (what: string) => widget.panel.locator(`[data-keep="${what}"]`) };
  };

  it('[MAIL1] a customer downloads their chat', async () => {
    const { page, keep, widget } = await begun('Сколько идёт доставка?');
    const [download] = await Promise.all([page.waitForEvent('download'), keep('file').click()]);
    expect(download.suggestedFilename()).toBe(`chat-${await widget.sessionId()}.txt`);
    expect(await readFile(await download.path(), 'utf8')).toContain('Сколько идёт доставка?');
    await page.keyboard.press('Escape');
    await widget.field.waitFor();
  });

  it('[MAIL1] loads that page again if the network failed at first', async () => {
    const { page } = await open();
    let failed = 0;
    await page.route('**/widget/v1/keep.js*', async (route) => {
      failed += 1;
      await (failed === 1 ? route.abort() : route.continue());
    });
    await page.goto(`${target.baseUrl}/`);
    const widget = new WidgetPage(page);
    await widget.open();
    await widget.say('Связь пропала');
    await widget.state('Связь пропала', 'отправлено');
    const keep = widget.panel.getByRole('button', { name: 'Сохранить переписку' });
    await keep.click();
    await widget.panel.getByText('Не получилось. Попробуйте ещё раз').waitFor();
    await keep.click();
    await widget.panel.locator('[data-keep=file]').waitFor();
    expect(failed).toBe(2);
  });

  it('[MAIL2] a customer has it sent by mail, and sees if the address is invalid', async () => {
    const { page, keep, widget } = await begun('Пришлите переписку');
    await page.locator('chat-widget #keep-email').fill('не адрес');
    await keep('mail').click();
    await widget.panel.getByText('Проверьте адрес почты').waitFor();
    await page.locator('chat-widget #keep-email').fill('olga@mail.example');
    await keep('mail').click();
    await widget.panel.getByText('Отправим на olga@mail.example').waitFor();
    const mail = await until(() => smtp.mails.find(({ to }) => to.includes('olga@mail.example')), {
      timeoutMs: 60_000,
      what: 'the mail',
    });
    const { attachments } = await simpleParser(mail.raw);
    expect(attachments[0]?.content.toString()).toContain('Пришлите переписку');
  });

  it('[TG6] a customer continues in Telegram with the missed messages, and sees later ones on both sides', async () => {
    const { keep, widget } = await begun('Продолжим в Telegram?');
    await keep('telegram').click();
    const address = await keep('telegram-link').getAttribute('href');
    const code = new URL(address ?? '').searchParams.get('start');
    const phone = desk.person('Ольга');
    phone.send(`/start ${code}`);
    await desk.shows(phone, 'Чат с сайта продолжается здесь');
    phone.send('Пишу с телефона');
    await widget.panel.getByRole('button', { name: 'Назад к чату' }).click();
    await widget.message('Пишу с телефона').waitFor();
  });

  it('[MAIL1] [MAIL2] an operator downloads a chat, and has it sent to its customer', async () => {
    const anna = await desk.staff('anna');
    const customer = await desk.customer();
    await customer.post('Вопрос для оператора');
    await anna.request('PATCH', `/chat/session/${customer.sessionId}/contact`, {
      json: { email: 'petr@mail.example' },
    });
    const { page } = await open({ viewport: { width: 1280, height: 800 } });
    const console = new ConsolePage(page, target.baseUrl);
    await console.signIn('anna');
    await console.openSession(customer.sessionId);
    const [download] = await Promise.all([page.waitForEvent('download'), console.action('transcript').click()]);
    expect(await readFile(await download.path(), 'utf8')).toContain('Вопрос для оператора');
    await console.action('mail-transcript').click();
    await until(() => smtp.mails.some(({ to }) => to.includes('petr@mail.example')), {
      timeoutMs: 60_000,
      what: 'the mail',
    });
  });

  it('[TG3] [TG4] an operator binds their Telegram in the console and unbinds it there', async () => {
    const { page } = await open({ viewport: { width: 1280, height: 800 } });
    const console = new ConsolePage(page, target.baseUrl);
    await console.signIn('anna');
    await console.go('#/notifications');
    await console.action('bind-telegram').click();
    const login = await page.locator('[data-section=telegram] pre').textContent();
    const phone = desk.person('Анна');
    phone.send(login ?? '');
    await page.locator('[data-section=telegram][data-bound=true]').waitFor();
    await console.action('unbind-telegram').click();
    await page.locator('[data-section=telegram][data-bound=false]').waitFor();
    expect(await desk.binding(await desk.staff('anna'))).toMatchObject({ account: null });
  });

  it.each(LOOKS)('[TG14] an operator is told that the customer blocked the bot ($name)', async ({ name, ...look }) => {
    const phone = desk.person('Ольга');
    phone.send('Есть лампа?');
    const anna = await desk.staff('anna');
    const row = await until(
      async () =>
        (await anna.sessions()).sessions.find(
          ({ last_message: last, telegram }) => last?.body === 'Есть лампа?' && telegram?.blocked_at === null,
        ),
      { timeoutMs: 20_000, what: 'the chat of the phone' },
    );
    const { page } = await open(look);
    const console = new ConsolePage(page, target.baseUrl);
    await console.signIn('anna');
    await console.openSession(row.id);
    const warning = page.locator('.composer [data-warning=bot-blocked]');
    expect(await warning.count()).toBe(0);
    phone.block();
    await anna.post(row.id, 'Да, три штуки');
    await warning.waitFor();
    const isPhone = look.viewport.width < 600;
    if (isPhone) await page.getByRole('button', { name: /^(Карточка клиента|Customer card)$/ }).click();
    await page.locator('.card [data-warning=bot-blocked]').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    const pictures = process.env['PICTURES_OF_LOOKS'];
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/blocked-card-${name}.png` });
    if (isPhone) await page.locator('.card .card-head button').last().click();
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/blocked-${name}.png` });
    phone.block(false);
    phone.send('Я вернулась');
    await warning.waitFor({ state: 'detached' });
    await anna.act(row.id, 'close');
  });

  it.each(LOOKS)('[MAIL1] axe-core finds no violation ($name)', async ({ name, ...look }) => {
    const { page } = await open(look);
    await page.goto(`${target.baseUrl}/`);
    const widget = page.locator('chat-widget');
    await widget.locator('button.launcher').click();
    const field = widget.getByRole('textbox', { name: /^(Сообщение|Message)$/ });
    await field.waitFor();
    await widget.locator('input[name=consent]').check();
    await field.fill('Привет');
    // On a phone Enter begins a new line.
    await widget.getByRole('button', { name: /^(Отправить|Send)$/ }).click();
    await widget.getByRole('button', { name: /^(Сохранить переписку|Keep this conversation)$/ }).click();
    await widget.locator('[data-keep=telegram]').waitFor();
    const pictures = process.env['PICTURES_OF_LOOKS'];
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/keep-${name}.png` });
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});
