import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { snippet, startHostPage } from './host-page.ts';
import { PNG } from './pictures.ts';
import { WidgetPage } from './widget-page.ts';

const ARABIC = 'مرحبا، هل يمكنكم التوصيل إلى دبي؟';

/** What other tests show one by one in Chromium, in one visit. */
describe('the widget in Firefox', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser({ browser: 'firefox' });
  const second = await startHostPage({ body: `<input aria-label="Поле сайта" autofocus>${snippet(chat.baseUrl)}` });
  const first = await startHostPage({ body: `<a href="${second.url}">Дальше</a>${snippet(chat.baseUrl)}` });

  it('keeps panel and text from page to page, cuts nothing, reads Arabic right, and shows what was answered', {
    timeout: 120_000,
  }, async () => {
    const { page } = await open();
    const widget = new WidgetPage(page);
    await page.goto(first.url);
    await widget.open();
    await widget.consent.check();
    await widget.field.fill('я'.repeat(12_000));
    await widget.panel.getByText(/Слишком длинно: 12\s000 знаков/).waitFor();
    await widget.field.fill(ARABIC);
    await page.getByRole('link', { name: 'Дальше' }).click();
    await page.waitForURL(second.url);
    await widget.field.waitFor();
    expect(await widget.field.inputValue()).toBe(ARABIC);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Поле сайта');
    await page.reload();
    await widget.consent.waitFor();
    expect(await widget.consent.isChecked()).toBe(true);

    for (const name of ['первый.png', 'второй.png']) {
      await widget.panel.locator('input[type=file]').setInputFiles({ name, mimeType: 'image/png', buffer: PNG });
    }
    await expect.poll(() => widget.panel.locator('.upload.is-done').count()).toBe(2);
    await widget.field.press('Enter');
    await widget.state(ARABIC, 'отправлено');
    const direction = await widget.panel.locator('.body').evaluate((body) => getComputedStyle(body).direction);
    expect(direction).toBe('rtl');
    await widget.panel.locator('[data-received]').getByText('Сообщение получено.').waitFor();
    await widget.panel.locator('.welcome').getByText('Здравствуйте').waitFor();

    await widget.panel.getByRole('button', { name: 'Закрыть чат' }).click();
    const anna = await chat.staff('anna');
    await anna.post(await widget.sessionId(), 'Уже смотрю');
    await page.locator('chat-widget .peek').getByText('Уже смотрю').click();
    await widget.message('Уже смотрю').waitFor();
  });

  it('pastes cells as text and files as files, and has everything again after Back', { timeout: 120_000 }, async () => {
    const { page } = await open();
    const widget = new WidgetPage(page);
    await page.goto(first.url);
    await widget.open();
    await widget.consent.check();
    const paste = (text: string, file: string): Promise<boolean> =>
      widget.field.evaluate(
        (field, [plain, name, png]) => {
          const data = new DataTransfer();
          if (plain) data.setData('text/plain', plain);
          const bytes = Uint8Array.from(atob(png), (character) => character.codePointAt(0) ?? 0);
          data.items.add(new File([bytes], name, { type: 'image/png' }));
          const event = new ClipboardEvent('paste', { bubbles: true, composed: true, cancelable: true });
          // Firefox gives an event that a script makes no clipboard of its own.
          Object.defineProperty(event, 'clipboardData', { value: data });
          return field.dispatchEvent(event);
        },
        [text, file, PNG.toString('base64')] as const,
      );
    // True: the browser may paste the text as it does.
    expect(await paste('Чай\t3\nКофе\t5', 'image.png')).toBe(true);
    expect(await widget.panel.locator('.upload').count()).toBe(0);
    expect(await paste('', 'image.png')).toBe(false);
    await expect.poll(() => widget.panel.locator('.upload').count()).toBe(1);
    await widget.panel.locator('.upload button').first().click();

    // A real clipboard, by the keys: nothing of it is cut.
    const long = 'ж'.repeat(12_000);
    await widget.field.fill(long);
    await widget.field.press('Control+a');
    await widget.field.press('Control+x');
    expect(await widget.field.inputValue()).toBe('');
    await widget.field.press('Control+v');
    expect(await widget.field.inputValue()).toBe(long);
    await widget.panel.getByText(/Слишком длинно: 12\s000 знаков/).waitFor();

    await widget.field.fill('Подойдёт ли это\nдля двоих?');
    await page.getByRole('link', { name: 'Дальше' }).click();
    await page.waitForURL(second.url);
    await widget.field.waitFor();
    await widget.field.fill('Подойдёт ли это\nдля троих?');
    await page.goBack();
    await page.waitForURL(first.url);
    await widget.field.waitFor();
    await expect.poll(() => widget.field.inputValue()).toBe('Подойдёт ли это\nдля троих?');
    // Both lines are in sight, though the panel was restored before it was laid out.
    await expect.poll(() => widget.field.evaluate((field) => field.clientHeight)).toBeGreaterThan(50);
    await page.goForward();
    await page.waitForURL(second.url);
    await widget.field.waitFor();
    await expect.poll(() => widget.field.inputValue()).toBe('Подойдёт ли это\nдля троих?');
    await widget.field.press('Enter');
    await widget.state('для троих', 'отправлено');
    await page.goBack();
    await widget.message('для троих').waitFor();
    await expect.poll(() => widget.field.inputValue()).toBe('');
  });
});
