import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { snippet, startHostPage } from './host-page.ts';
import { deliver, shown, withPushService } from './push-double.ts';
import { WidgetPage } from './widget-page.ts';

interface Manifest {
  readonly start_url: string;
  readonly scope: string;
  readonly icons: readonly { src: string; sizes: string; type: string; purpose: string }[];
}

describe('push', { timeout: 120_000 }, async () => {
  const chat = await useChat('main');
  // The one without windows has no push.
  const { open } = useBrowser({ browser: 'chromium-desktop' });

  it('[PUSH2] [PUSH4] is offered to a customer who wrote, requested only when they press, and shown by the site’s worker', async () => {
    const site = await startHostPage({
      body: snippet(chat.baseUrl, 'data-push-worker="/chat-push.js"'),
      scripts: { '/chat-push.js': `importScripts('${chat.baseUrl}/widget/v1/push-worker.js')` },
    });
    const { page } = await open();
    const { asked } = await withPushService(page, new URL(site.url).origin);
    await page.goto(site.url);
    const widget = new WidgetPage(page);
    const offer = widget.panel.getByRole('button', { name: 'Сообщить, когда ответят' });
    await widget.open();
    expect(await offer.count()).toBe(0);
    await widget.say('Есть лампа?');
    // At once where nobody is there, else after a while without an answer.
    await offer.waitFor({ timeout: 40_000 });
    expect(await asked()).toBe(0);
    const call = (method: string) =>
      page.waitForResponse(
        (one) => one.url().includes('/chat/push/subscriptions') && one.request().method() === method,
      );
    const added = call('POST');
    await offer.click();
    expect((await added).status()).toBe(201);
    expect(await asked()).toBe(1);
    await widget.panel.getByText('Сообщим на это устройство').waitFor();

    const scope = `${new URL('/chat-push.js', site.url).href}/`;
    await deliver(page, scope, { title: 'Вам ответили в чате', body: '', tag: 'reply:1', url: site.url });
    await expect.poll(() => shown(page, scope)).toEqual(['Вам ответили в чате: ']);

    await page.reload();
    const removed = call('DELETE');
    await widget.panel.getByRole('button', { name: 'Не сообщать' }).click();
    expect((await removed).status()).toBe(204);
    await offer.waitFor();
  });

  it('[PUSH2] [PUSH7] is turned on by an operator in their settings, leads to the chat, and disappears when the chat is read', async () => {
    const { page, problems } = await open({ viewport: { width: 1280, height: 860 } });
    const { asked } = await withPushService(page, chat.baseUrl);
    const console = new ConsolePage(page, chat.baseUrl);
    await console.signIn('boris');
    await console.go('#/notifications');
    await console.action('add-device').click();
    const device = page.locator('[data-here=true]');
    await device.waitFor();
    expect(await asked()).toBe(1);
    await device.locator('[data-action=rename-device]').click();
    await device.getByLabel('Имя устройства').fill('Стол у окна');
    await device.getByLabel('Имя устройства').press('Enter');
    await device.getByText('Стол у окна').waitFor();

    const customer = await chat.customer();
    await customer.post('Кто-нибудь?');
    const scope = `${chat.baseUrl}/operator/`;
    const url = `/operator/#/inbox/all/${customer.sessionId}`;
    await deliver(page, scope, { title: 'Клиент ждёт ответа', body: 'Чат', tag: `waiting:${customer.sessionId}`, url });
    await expect.poll(() => shown(page, scope)).toEqual(['Клиент ждёт ответа: Чат']);
    await console.openSession(customer.sessionId);
    await expect.poll(() => shown(page, scope)).toEqual([]);

    await console.go('#/notifications');
    await device.locator('[data-action=remove-device]').click();
    await console.action('add-device').waitFor();
    expect(problems).toEqual([]);
  });

  it('comes with a console that can be installed and caches nothing of the server', async () => {
    const { page } = await open();
    await page.goto(`${chat.baseUrl}/operator/`);
    const address = await page.locator('link[rel=manifest]').getAttribute('href');
    const base = new URL(address ?? '', page.url());
    const manifest = (await (await page.request.get(base.href)).json()) as Manifest;
    expect(new URL(manifest.start_url, base).pathname).toBe('/operator/');
    expect(new URL(manifest.scope, base).pathname).toBe('/operator/');
    expect(manifest.icons.map(({ purpose }) => purpose)).toContain('maskable');
    for (const { src, type, sizes } of manifest.icons) {
      const icon = await page.request.get(new URL(src, base).href);
      expect([icon.status(), icon.headers()['content-type']]).toEqual([200, type]);
      const bytes = await icon.body();
      if (type === 'image/png') expect(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`).toBe(sizes);
    }
    const worker = await page.request.get(`${chat.baseUrl}/operator/push-worker.js`);
    expect(worker.headers()['cache-control']).toBe('no-cache');
    // A worker that answers no request can neither serve an old build nor keep an answer.
    const parts = [worker, await page.request.get(`${chat.baseUrl}/widget/v1/push-worker.js`)];
    for (const part of parts) expect(await part.text()).not.toMatch(/["'`]fetch["'`]|caches\b/);
  });
});
