import { notifySettingsResponseSchema } from '@chat-realtime/protocol';
import { HttpClient, PushService, type SmtpDouble, Staff, startSmtp } from '@chat-realtime/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SECRETS } from '../support/profiles.ts';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { deliver, shown, withPushService } from './push-double.ts';

describe('what an operator chooses in «Уведомления»', { timeout: 180_000 }, () => {
  let push: PushService;
  let smtp: SmtpDouble;
  let target: StandaloneTarget;
  let http: HttpClient;
  // The one without windows has no push.
  const { open } = useBrowser({ browser: 'chromium-desktop' });

  beforeAll(async () => {
    [push, smtp] = await Promise.all([PushService.start(), startSmtp()]);
    target = await startStandalone(
      { profile: 'main', webhookUrl: '', siteOrigin: '' },
      { PUSH_PRIVATE_HOSTS: push.host, SMTP_URL: smtp.url, PUBLIC_URL: 'https://chat.shop.example', DEMO: 'auto' },
    );
    http = new HttpClient(target.baseUrl);
  }, 240_000);
  afterAll(async () => {
    http?.close();
    await target?.stop();
    await Promise.all([push?.stop(), smtp?.stop()]);
  });

  const begin = async (login: 'anna' | 'boris' | 'admin') => {
    const { page } = await open({ viewport: { width: 1280, height: 860 }, timezoneId: 'Asia/Yekaterinburg' });
    const device = push.subscribe(login);
    await withPushService(page, target.baseUrl, device);
    const console = new ConsolePage(page, target.baseUrl);
    await console.signIn(login);
    await console.go('#/notifications');
    await page.locator('input[name=email]').waitFor();
    const staff = await Staff.login(http, login, SECRETS.operatorPassword);
    const stored = async () =>
      (await staff.request('GET', '/chat/operators/me/notifications')).as(notifySettingsResponseSchema).settings;
    return { page, console, stored, device };
  };
  const box = (page: Page, name: string) => page.locator(`input[type=checkbox][name="${name}"]`);
  const save = async (page: Page): Promise<void> => {
    const saved = page.waitForResponse((one) => one.request().method() === 'PUT');
    await page.locator('[data-action=save-choices]').click();
    await saved;
  };

  it('[NTF1] each switch is stored as it is set, and has that state when the page is opened again', async () => {
    const { page, stored } = await begin('anna');
    const before = await stored();
    expect(before).toMatchObject({ push: ['message', 'waiting', 'callback_requested'], mail: [], everywhere: false });
    await box(page, 'mail-waiting').check();
    await page.fill('input[name=email]', ' anna@shop.example ');
    await save(page);
    expect(await stored()).toMatchObject({ mail: ['waiting'], email: 'anna@shop.example', locale: 'ru' });
    // One after the other, to and fro: each changes itself alone.
    for (const [name, list] of [
      ['push-message', 'push'],
      ['push-waiting', 'push'],
      ['push-callback_requested', 'push'],
      ['mail-callback_requested', 'mail'],
    ] as const) {
      const was = await stored();
      const event = name.slice(name.indexOf('-') + 1);
      await box(page, name).click();
      await save(page);
      const now = await stored();
      expect([name, now]).toEqual([name, { ...was, [list]: now[list] }]);
      expect(new Set(now[list])).toEqual(
        new Set([...was[list], event].filter((one) => one !== event || list === 'mail')),
      );
    }
    await box(page, 'everywhere').check();
    await save(page);
    expect(await stored()).toMatchObject({ push: [], everywhere: true });
    await page.reload();
    await page.locator('input[name=email]').waitFor();
    const shownBoxes = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLInputElement>('[data-section=choices] input[type=checkbox]')]
        .filter(({ checked }) => checked)
        .map(({ name }) => name),
    );
    expect(shownBoxes).toEqual(['mail-waiting', 'mail-callback_requested', 'everywhere']);
    expect(await page.inputValue('input[name=email]')).toBe('anna@shop.example');
    // Nobody else's.
    expect((await (await begin('boris')).stored()).everywhere).toBe(false);
  });

  it('[NTF1] quiet hours use the operator’s own time zone, may pass midnight, and end when the box is cleared', async () => {
    const { page, stored } = await begin('boris');
    await box(page, 'quiet').check();
    await page.fill('input[name=from]', '23:15');
    await page.fill('input[name=to]', '06:45');
    await save(page);
    expect((await stored()).quiet).toEqual({ from: '23:15', to: '06:45', timezone: 'Asia/Yekaterinburg' });
    await page.reload();
    await page.locator('input[name=from]').waitFor();
    expect([await page.inputValue('input[name=from]'), await page.inputValue('input[name=to]')]).toEqual([
      '23:15',
      '06:45',
    ]);
    await page.getByText('Asia/Yekaterinburg').waitFor();
    await box(page, 'quiet').uncheck();
    await save(page);
    expect((await stored()).quiet).toBeNull();
  });

  it('[NTF1] invalid settings are not stored, and the form keeps what was typed', async () => {
    const { page, stored } = await begin('admin');
    const before = await stored();
    const puts: string[] = [];
    page.on('request', (one) => one.method() === 'PUT' && puts.push(one.url()));
    const press = () => page.locator('[data-action=save-choices]').click();
    const isRefused = (name: string) =>
      page.locator(`input[name=${name}]`).evaluate((one: HTMLInputElement) => !one.validity.valid);
    // Mail to nowhere, to what is no address, and no time: the browser says so before anybody is asked.
    await box(page, 'mail-waiting').check();
    await press();
    expect(await isRefused('email')).toBe(true);
    await page.fill('input[name=email]', 'не адрес');
    await press();
    expect(await isRefused('email')).toBe(true);
    await page.fill('input[name=email]', 'admin@shop.example');
    await box(page, 'quiet').check();
    await page.fill('input[name=from]', '');
    await press();
    expect(await isRefused('from')).toBe(true);
    expect(puts).toEqual([]);
    // An address to the browser, and none to the server.
    await page.fill('input[name=from]', '22:00');
    await page.fill('input[name=email]', 'admin@shop');
    await save(page);
    await page.locator('[data-section=choices] .problem:not(:empty)').waitFor();
    expect(await page.inputValue('input[name=email]')).toBe('admin@shop');
    expect(puts).toHaveLength(1);
    expect(await stored()).toEqual(before);
    await page.fill('input[name=email]', 'admin@shop.example');
    await save(page);
    expect(await stored()).toMatchObject({ mail: ['waiting'], email: 'admin@shop.example' });
  });

  it('[PUSH6] the button tests the device, and one that is gone is removed from the list', async () => {
    const { page, console, device } = await begin('anna');
    await console.action('add-device').click();
    const row = page.locator('[data-here=true]');
    await row.locator('[data-action=test-device]').click();
    await page.getByText('Отправлено. Если уведомления не видно').waitFor();
    const [told] = push.to('anna').slice(-1);
    const scope = `${target.baseUrl}/operator/`;
    await deliver(page, scope, JSON.parse(told?.payload ?? ''));
    await expect.poll(() => shown(page, scope)).toEqual(['Проверка: уведомления приходят: ']);
    push.answers.push(500);
    await row.locator('[data-action=test-device]').click();
    await page.getByText('Служба уведомлений браузера не приняла').waitFor();
    push.unsubscribe(device.endpoint);
    await row.locator('[data-action=test-device]').click();
    await page.getByText('Это устройство больше не принимает уведомления').waitFor();
    await row.waitFor({ state: 'detached' });
  });
});
