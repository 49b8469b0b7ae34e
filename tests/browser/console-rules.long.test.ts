import { createServer } from 'node:http';
import { freePort } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { WidgetPage } from './widget-page.ts';

/** Where no variable has said anything yet. */
const UNSET = { ALERT_WEBHOOK_URLS: '', ALERT_WEBHOOK_SECRET: '', ALLOWED_ORIGINS: '' };

describe('rules that an administrator sets in the console', { timeout: 120_000 }, () => {
  const { open } = useBrowser();
  const signatures: string[] = [];
  const receiver = createServer((request, response) => {
    signatures.push(String(request.headers['x-chat-signature']));
    response.writeHead(request.url === '/gone' ? 404 : 204).end();
  });
  let target: StandaloneTarget;
  let host: string;

  beforeAll(async () => {
    const port = await freePort();
    await new Promise<void>((resolve) => receiver.listen(port, '127.0.0.1', resolve));
    host = `127.0.0.1:${port}`;
    target = await startStandalone(
      { profile: 'main', webhookUrl: '', siteOrigin: '' },
      { ...UNSET, ALERT_WEBHOOK_PRIVATE_HOSTS: host },
    );
  }, 240_000);
  afterAll(async () => {
    await target?.stop();
    receiver.close();
  });

  const rules = async (section: string, width = 1280) => {
    const { page } = await open({ viewport: { width, height: 860 } });
    const admin = new ConsolePage(page, target.baseUrl);
    await admin.signIn('admin');
    await admin.go('#/rules');
    const form = page.locator(`[data-section=${section}]`);
    await form.waitFor();
    return { page, admin, form };
  };

  const visitor = async () => {
    const { page } = await open({ viewport: { width: 1280, height: 860 } });
    await page.goto(`${target.baseUrl}/`);
    const widget = new WidgetPage(page);
    await widget.open();
    return { page, widget };
  };

  it('[ALR8] [ALR9] saves where alerts go and tests it; the secret is never returned', async () => {
    const { page, admin, form } = await rules('webhook');
    await form.locator('input[name=url]').fill(`http://${host}/hook`);
    await admin.action('make-secret').click();
    const secret = await form.locator('input[name=secret]').inputValue();
    expect(secret).toMatch(/^[\w-]{43}$/);
    await admin.action('add-url').click();
    await form.locator('input[name=url]').nth(1).fill('https://10.0.0.1/hook');
    expect(await admin.violations()).toEqual([]);
    await form.locator('[data-action=save]').click();
    await form.locator('.problem', { hasText: /\S/ }).waitFor();
    await form.locator('input[name=url]').nth(1).fill(`http://${host}/gone`);
    await form.locator('[data-action=save]').click();
    await admin.action('test-webhook').click();
    await page.locator('.results [data-delivered=true]').waitFor();
    await page.locator('.results [data-delivered=false]', { hasText: 'HTTP 404' }).waitFor();
    expect(signatures.length).toBeGreaterThanOrEqual(2);
    expect(await admin.violations()).toEqual([]);

    const again = await rules('webhook', 390);
    expect(await again.form.locator('input[name=url]').count()).toBe(2);
    expect(await again.form.locator('input[name=secret]').inputValue()).toBe('');
    expect(await again.page.content()).not.toContain(secret);
    await again.form.locator('[data-action=clear]').click();
    await again.form.locator('[data-action=clear]').waitFor({ state: 'detached' });
    expect(await again.form.locator('[data-action=test-webhook]').count()).toBe(0);
  });

  it('[ATT11] narrows which files are accepted; composer and widget offer only those', async () => {
    const { page, admin, form } = await rules('attachments');
    await form.locator('input[name=all]').uncheck();
    await form.locator('input[name="image/*"]').check();
    await form.locator('input[name=others]').fill('application/zip, text/csv');
    await form.locator('input[name=size]').fill('0.5');
    expect(await admin.violations()).toEqual([]);
    await form.locator('[data-action=save]').click();
    await form.locator('[data-action=clear]').waitFor();
    const config = async () => (await (await fetch(`${target.baseUrl}/chat/config`)).json()).attachments;
    const narrowed = { max_bytes: 524_288, mime: ['image/*', 'application/zip', 'text/csv'] };
    await expect.poll(config).toMatchObject(narrowed);

    const { widget } = await visitor();
    await widget.panel.locator('button[aria-label="Прикрепить файл"]').waitFor();
    await widget.say('вопрос о файлах');
    await admin.go('#/inbox/all');
    await page.locator('.session-row', { hasText: 'вопрос о файлах' }).click();
    const picker = page.locator('.composer input[type=file]');
    await expect.poll(() => picker.getAttribute('accept')).toBe('image/*,application/zip,text/csv');
    await picker.setInputFiles({ name: 'large.png', mimeType: 'image/png', buffer: Buffer.alloc(600_000) });
    await page.getByText('large.png: больше 0.5 МБ').waitFor();

    await admin.go('#/rules');
    await form.locator('input[name=enabled]').uncheck();
    await form.locator('[data-action=save]').click();
    await expect.poll(config).toMatchObject({ max_per_message: 0 });
    const later = await visitor();
    await expect.poll(() => later.widget.panel.locator('button[aria-label="Прикрепить файл"]').count()).toBe(0);
    await form.locator('[data-action=clear]').click();
    await form.locator('[data-action=clear]').waitFor({ state: 'detached' });
  });

  it('[SET11] [SET12] sets the sites that may embed the widget, and how long a token is valid', async () => {
    const { page, admin, form } = await rules('origins');
    await form.locator('input[name=origin]').fill('https://Shop.example/catalog?x=1');
    await form.locator('[data-action=save]').click();
    await form.locator('[data-action=clear]').waitFor();
    expect(await form.locator('input[name=origin]').inputValue()).toBe('https://shop.example');
    const from = (origin: string) =>
      fetch(`${target.baseUrl}/chat/session`, {
        method: 'POST',
        headers: { origin, 'content-type': 'application/json' },
        body: '{}',
      });
    expect((await from('https://shop.example')).status).toBe(201);
    expect((await from('https://else.example')).status).toBe(403);
    const tokens = page.locator('[data-section=tokens]');
    await tokens.locator('input[name=channel_seconds]').fill('600');
    await tokens.locator('[data-action=save]').click();
    await tokens.locator('[data-action=clear]').waitFor();
    await tokens.locator('[data-set=true]', { hasText: 'SITE_API_KEY' }).waitFor();
    const { expires_at } = (await (await from('https://shop.example')).json()) as { expires_at: string };
    expect(Date.parse(expires_at) - Date.now()).toBeLessThanOrEqual(600_000);
    expect(await admin.violations()).toEqual([]);
    for (const section of [form, tokens]) {
      await section.locator('[data-action=clear]').click();
      await section.locator('[data-action=clear]').waitFor({ state: 'detached' });
    }
  });
});
