import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { ConsolePage } from './console-page.ts';
import { PNG } from './pictures.ts';
import { useBrowser } from './browser.ts';

const ARABIC = 'مرحبا، هل يمكنكم التوصيل؟';

describe("a customer's files and words in the console", async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  it('renews the expired address of a file, and says which file is unavailable', async () => {
    const customer = await chat.customer({ name: ARABIC });
    const picture = await customer.uploaded('фото.png', PNG);
    const file = await customer.uploaded('договор.pdf', Buffer.from('%PDF-1.4\n%âãÏÓ\n'));
    await customer.post(ARABIC, { attachments: [picture.id, file.id] });
    const { page } = await open({ viewport: { width: 1_280, height: 900 } });
    const console = new ConsolePage(page, chat.baseUrl);
    await console.signIn('anna');
    let renewed = 0;
    await page.route(`**/chat/session/${customer.sessionId}/messages*`, async (route) => {
      if (route.request().url().includes('before_id')) {
        renewed += 1;
        return route.continue();
      }
      // As after a day in an open console: the server refuses these addresses.
      const answer = await route.fetch();
      const body = (await answer.text()).replaceAll(/sig=k\w+\.\d+/g, 'sig=k1.1700000000');
      return route.fulfill({ response: answer, body });
    });
    await console.openSession(customer.sessionId);
    const loaded = (): Promise<number> =>
      page.locator('.message img').evaluate((image) => (image as HTMLImageElement).naturalWidth);
    await expect.poll(loaded).toBeGreaterThan(0);
    expect(renewed).toBe(1);

    const link = page.locator('a.file', { hasText: 'договор.pdf' });
    const got = page
      .context()
      .waitForEvent('response', (response) => response.request().method() === 'GET' && response.url().includes('sig='));
    await link.click();
    const response = await got;
    expect([response.status(), response.headers()['content-disposition']]).toEqual([
      200,
      expect.stringContaining('attachment'),
    ]);
    await page.route('**/chat/attachments/**', (route) => route.fulfill({ status: 404, body: '{}' }));
    await link.click();
    await link.getByText('Файла больше нет').waitFor();

    const directions = await page.evaluate(
      (selectors) =>
        selectors.map((selector) => getComputedStyle(document.querySelector(selector) as Element).direction),
      ['.message .text', '.chat-head h2', `[data-session="${customer.sessionId}"] .row-name`],
    );
    expect(directions).toEqual(['rtl', 'rtl', 'rtl']);
  });
});
