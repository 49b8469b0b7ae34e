import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { snippet, startHostPage } from './host-page.ts';
import { WidgetPage } from './widget-page.ts';

describe('a look saved by staff', async () => {
  const chat = await useChat('main', { survives: true });
  const { open } = useBrowser();
  const plain = await startHostPage({ body: snippet(chat.baseUrl) });
  const own = await startHostPage({ body: snippet(chat.baseUrl, 'data-accent="#112233" data-title="Наш чат"') });

  const save = async (json: object): Promise<void> => {
    const answer = await (await chat.staff('admin')).request('PATCH', '/chat/settings', { json });
    expect(answer.status, answer.text).toBe(200);
  };
  beforeAll(() =>
    save({ theme: { accent: '#aa3300', scheme: 'dark', title: 'Из консоли' }, texts: { greeting: 'Мы тут' } }),
  );
  afterAll(() => save({ theme: null, texts: null }));

  it('is what the widget shows once it is open, unless the page sets another', async () => {
    for (const [site, accent, title] of [
      [plain, '#aa3300', 'Из консоли'],
      [own, '#112233', 'Наш чат'],
    ] as const) {
      const { page, problems } = await open({ colorScheme: 'light' });
      await page.goto(site.url);
      const widget = new WidgetPage(page);
      await widget.open();
      const look = page.locator('chat-widget').locator('.root');
      await expect.poll(() => look.evaluate((root) => root.dataset['scheme'])).toBe('dark');
      expect(await look.evaluate((root) => root.style.getPropertyValue('--accent'))).toBe(accent);
      await widget.panel.getByRole('heading', { name: title }).waitFor();
      await widget.panel.getByText('Мы тут').waitFor();
      expect(problems).toEqual([]);
    }
  });
});
