import { randomUUID } from 'node:crypto';
import { operatorInviteSchema } from '@chat-realtime/protocol';
import { Staff } from '@chat-realtime/testkit';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { totpCode } from '../support/totp.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';

const PASSWORD = 'a password of Vera';

describe('administration in the console', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  const signIn = async (page: Page, login: string): Promise<void> => {
    await page.goto(`${chat.baseUrl}/operator/`);
    await page.fill('input[name=login]', login);
    await page.fill('input[name=password]', PASSWORD);
    await page.keyboard.press('Enter');
  };

  it('invites an operator by a link, who joins, turns on a second factor and signs in with it', async () => {
    const { page } = await open({ viewport: { width: 1280, height: 860 } });
    const admin = new ConsolePage(page, chat.baseUrl);
    await admin.signIn('admin');
    await admin.go('#/team');
    const login = `op-${randomUUID().slice(0, 8)}`;
    await admin.action('add-operator').click();
    await page.fill('.panel input[name=name]', 'Вера');
    await page.fill('.panel input[name=login]', login);
    await page.locator('.panel button[type=submit]').click();
    const link = await page.locator(`[data-invite="${login}"] code`).innerText();
    expect(await admin.violations()).toEqual([]);

    const other = (await open({ viewport: { width: 390, height: 844 } })).page;
    const vera = new ConsolePage(other, chat.baseUrl);
    await other.goto(link);
    await other.fill('input[name=password]', PASSWORD);
    await other.keyboard.press('Enter');
    await other.locator('.rail').waitFor();
    await vera.go('#/account');
    await vera.action('begin-factor').click();
    const secret = await other.locator('[data-section=second-factor] .code code').innerText();
    expect(await vera.violations()).toEqual([]);
    await other.fill('input[name=code]', totpCode(secret));
    await vera.action('send-code').click();
    await vera.action('codes-kept').waitFor();
    const codes = (await other.locator('[data-section=second-factor] .code code').innerText()).split('\n');
    expect(codes).toHaveLength(10);
    await vera.action('codes-kept').click();

    const again = (await open()).page;
    await signIn(again, login);
    await again.fill('input[name=code]', codes[0] ?? '');
    expect(await new ConsolePage(again, chat.baseUrl).violations()).toEqual([]);
    await again.keyboard.press('Enter');
    await again.locator('.rail').waitFor();

    await page.reload();
    await page.locator(`[data-operator="${login}"] button[aria-expanded]`).click();
    await admin.action('deactivate').click();
    await admin.action('deactivate-yes').click();
    await page.locator(`[data-operator="${login}"].operator.inactive`).waitFor();
    await again.locator('input[name=login]').waitFor();
    await admin.go('#/audit');
    await page.locator('[data-action-name="operator.changed"]', { hasText: 'Вера' }).first().waitFor();
    expect(await admin.violations()).toEqual([]);
  }, 120_000);

  it('saves the hours, bans and lifts, and erases a chat from its card', async () => {
    const { page } = await open({ viewport: { width: 1280, height: 860 } });
    const admin = new ConsolePage(page, chat.baseUrl);
    await admin.signIn('admin');
    await admin.go('#/rules');
    const hours = page.locator('[data-section=schedule]');
    await hours.locator('input[name=always]').uncheck();
    await hours.locator('input[name=timezone]').fill('Europe/Moscow');
    await hours.locator('input[name=holiday]').fill('2027-01-01');
    await admin.action('add-holiday').click();
    expect(await admin.violations()).toEqual([]);
    await hours.locator('[data-action=save]').click();
    await hours.locator('[data-action=clear]').waitFor();
    const settings = async () => (await (await chat.staff('admin')).request('GET', '/chat/settings')).text;
    expect(JSON.parse(await settings())).toMatchObject({
      rules: { saved: { schedule: { timezone: 'Europe/Moscow', holidays: ['2027-01-01'] } } },
    });
    await hours.locator('[data-action=clear]').click();
    await hours.locator('[data-action=clear]').waitFor({ state: 'detached' });

    const visitor = await chat.customer({ name: 'Гость' });
    await visitor.post('не очень вежливо');
    await admin.openSession(visitor.sessionId);
    await admin.action('ban').click();
    expect(await admin.violations()).toEqual([]);
    await page.fill('input[name=reason]', 'спам');
    await admin.action('ban-yes').click();
    await admin.go('#/bans');
    const ban = page.locator('[data-ban]', { hasText: 'спам' });
    await ban.waitFor();
    expect(await admin.violations()).toEqual([]);
    await ban.locator('[data-action=lift]').click();
    await ban.waitFor({ state: 'detached' });
    await visitor.post('снова можно');

    await admin.openSession(visitor.sessionId);
    await admin.action('erase').click();
    await admin.action('erase-yes').click();
    await expect.poll(async () => (await visitor.messages()).messages.every(({ body }) => body === '')).toBe(true);
  }, 120_000);

  it('shows an operator their own sign-in and the bans, and nothing of an administrator', async () => {
    const admin = await chat.staff('admin');
    const json = { login: `op-${randomUUID().slice(0, 8)}`, name: 'Борис', role: 'operator' };
    const invite = (await admin.request('POST', '/auth/operators', { json })).as(operatorInviteSchema, 201);
    const key = new URL(invite.invite_url).hash.replace('#invite=', '');
    await chat.http.post('/auth/invite/accept', { json: { key, password: PASSWORD } });
    await Staff.login(chat.http, json.login, PASSWORD);
    const { page } = await open({ viewport: { width: 1280, height: 860 } });
    await signIn(page, json.login);
    await page.locator('.rail').waitFor();
    expect(await page.locator('.to-manage').count()).toBe(0);
    await new ConsolePage(page, chat.baseUrl).go('#/account');
    await page.locator('.manage-nav').waitFor();
    expect(
      await page.locator('.manage-nav a').evaluateAll((links) => links.map((link) => link.dataset['page'])),
    ).toEqual(['bans', 'notifications', 'account']);
    await new ConsolePage(page, chat.baseUrl).go('#/team');
    await page.locator('.manage').waitFor({ state: 'detached' });
  }, 60_000);
});
