import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { fileThatIsTooLarge } from '../support/files.ts';
import { useBrowser } from './browser.ts';
import { snippet, startHostPage } from './host-page.ts';
import { PNG } from './pictures.ts';
import { WidgetPage } from './widget-page.ts';

const ARABIC = 'مرحبا، هل يمكنكم التوصيل إلى دبي خلال يومين؟';

/** The configuration as a chat gives it out of hours. */
async function outOfHours(page: Page, reopens: Date): Promise<void> {
  await page.route('**/chat/config', async (route) => {
    const answer = await route.fetch();
    const config = (await answer.json()) as object;
    await route.fulfill({ response: answer, json: { ...config, online: false, reopens_at: reopens.toISOString() } });
  });
}
const refusal = (status: number, code: string) => ({
  status,
  contentType: 'application/json',
  headers: { 'access-control-allow-origin': '*' },
  body: JSON.stringify({ error: { code, message: code, request_id: 'test' } }),
});

describe('texts of the widget', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();
  const site = await startHostPage({ body: snippet(chat.baseUrl, 'data-title-count="true"') });
  const visit = async (options = {}, prepare: (page: Page) => Promise<void> = async () => undefined) => {
    const opened = await open(options);
    await prepare(opened.page);
    await opened.page.goto(site.url);
    const widget = new WidgetPage(opened.page);
    await widget.launcher.waitFor();
    return { ...opened, widget };
  };
  const begun = async (text: string) => {
    const visitor = await visit();
    await visitor.widget.open();
    await visitor.widget.say(text);
    await visitor.widget.state(text, 'отправлено');
    return { ...visitor, id: await visitor.widget.sessionId(), anna: await chat.staff('anna') };
  };
  const attach = (widget: WidgetPage, name: string, buffer: Buffer, mimeType = 'application/pdf') =>
    widget.panel.locator('input[type=file]').setInputFiles({ name, mimeType, buffer });

  describe('when something did not load', () => {
    it('shows the error beside the button, not only to screen readers', async () => {
      const { page, widget } = await visit();
      await page.route('**/assets/panel-*', (route) => route.abort());
      await widget.launcher.click();
      // The words stand beside the button by its style: they are its name, drawn.
      const drawn = (): Promise<string> =>
        widget.launcher.evaluate((button) => {
          const { content, width } = getComputedStyle(button, '::before');
          return content === 'none' || Number.parseFloat(width) < 100 ? '' : (button.getAttribute('aria-label') ?? '');
        });
      await expect.poll(drawn).toContain('Чат не загрузился');
      await page.unroute('**/assets/panel-*');
      await page.reload();
      await widget.open();
    });

    it('says that the messages did not load, and shows them when they do', async () => {
      const { page, widget, id, anna } = await begun('первое');
      await anna.post(id, 'второе');
      await page.route(`**/chat/session/${id}/messages*`, (route) => route.fulfill(refusal(503, 'unavailable')));
      await page.reload();
      await widget.panel.getByText('Сообщения не загрузились').waitFor();
      await page.unroute(`**/chat/session/${id}/messages*`);
      await widget.message('второе').waitFor();
      expect(await widget.panel.getByText('Сообщения не загрузились').count()).toBe(0);
    });

    it('renews the expired address of a picture', async () => {
      const { page, widget, id } = await begun('вот картинка');
      await attach(widget, 'фото.png', PNG, 'image/png');
      await widget.panel.locator('.upload.is-done').waitFor();
      await widget.field.press('Enter');
      await widget.panel.locator('article img').waitFor();
      let renewed = 0;
      await page.route(`**/chat/session/${id}/messages*`, async (route) => {
        if (route.request().url().includes('before_id')) {
          renewed += 1;
          return route.continue();
        }
        // As after a day in an open tab: the server refuses this address.
        const answer = await route.fetch();
        const body = (await answer.text()).replaceAll(/sig=k\w+\.\d+/g, 'sig=k1.1700000000');
        return route.fulfill({ response: answer, body });
      });
      await page.reload();
      const loaded = (): Promise<number> =>
        widget.panel.locator('article img').evaluate((image) => (image as HTMLImageElement).naturalWidth);
      await expect.poll(loaded).toBeGreaterThan(0);
      expect(renewed).toBe(1);
    });

    it('says that a file is unavailable, opens no page of JSON, and downloads it when it is available', async () => {
      const { page, widget } = await begun('вот договор');
      await attach(widget, 'договор.pdf', Buffer.from('%PDF-1.4\n%âãÏÓ\n'));
      await widget.panel.locator('.upload.is-done').waitFor();
      await widget.field.press('Enter');
      const file = widget.panel.getByRole('link', { name: 'Скачать договор.pdf' });
      await file.waitFor();
      let answer: { status: number; code: string } | null = { status: 503, code: 'unavailable' };
      await page.route('**/chat/attachments/**', (route) =>
        answer ? route.fulfill(refusal(answer.status, answer.code)) : route.continue(),
      );
      await file.click();
      await file.getByText('Не открылся').waitFor();
      answer = { status: 404, code: 'not_found' };
      await file.click();
      await file.getByText('Файла больше нет').waitFor();
      expect(page.context().pages()).toHaveLength(1);
      answer = null;
      const got = page.context().waitForEvent('response', (response) => response.request().method() === 'GET');
      await file.click();
      const response = await got;
      expect([response.status(), response.headers()['content-disposition']]).toEqual([
        200,
        expect.stringContaining('attachment'),
      ]);
    });
  });

  describe('right-to-left text', () => {
    it('shows Arabic from right to left in messages, fields, names and previews', async () => {
      const { widget, page, id, anna } = await begun(ARABIC);
      await anna.post(id, ARABIC);
      const direction = (selector: string): Promise<string> =>
        widget.panel
          .locator(selector)
          .last()
          .evaluate((element) => getComputedStyle(element).direction);
      await expect.poll(() => widget.messages.count()).toBe(2);
      expect(await direction('.body')).toBe('rtl');
      const right = await widget.panel
        .locator('.body')
        .last()
        .evaluate((body) => {
          const text = body.firstChild;
          if (text === null) return Number.NaN;
          const range = document.createRange();
          range.setStart(text, 0);
          range.setEnd(text, 1);
          return Math.round(body.getBoundingClientRect().right - range.getBoundingClientRect().right);
        });
      expect(right).toBeLessThanOrEqual(1);
      await widget.field.fill(ARABIC);
      expect(await direction('textarea')).toBe('rtl');
      await widget.field.fill('latin');
      expect(await direction('textarea')).toBe('ltr');
      await widget.panel.getByRole('button', { name: 'Закрыть чат' }).click();
      await anna.post(id, ARABIC);
      const preview = page.locator('chat-widget .peek-text');
      await preview.waitFor();
      expect(await preview.evaluate((text) => getComputedStyle(text).direction)).toBe('rtl');
    });

    it('keeps its layout on a right-to-left page', async () => {
      const { page, widget } = await visit();
      await page.evaluate(() => (document.documentElement.dir = 'rtl'));
      await widget.open();
      expect(await widget.panel.evaluate((panel) => getComputedStyle(panel).direction)).toBe('ltr');
    });
  });

  describe('of files', () => {
    it('keeps the × of both files visible, and removes the error of a file with it', async () => {
      const { page, widget } = await begun('файлы');
      await attach(widget, 'первый.png', PNG, 'image/png');
      await attach(widget, 'очень-длинное-имя-второго-файла-которое-никуда-не-помещается.png', PNG, 'image/png');
      await expect.poll(() => widget.panel.locator('.upload.is-done').count()).toBe(2);
      const list = await widget.panel.locator('.uploads').boundingBox();
      for (const button of await widget.panel.getByRole('button', { name: /^Убрать / }).all()) {
        const box = await button.boundingBox();
        const middle = (box?.y ?? 0) + (box?.height ?? 0) / 2;
        expect(middle).toBeGreaterThan(list?.y ?? 0);
        expect(middle).toBeLessThan((list?.y ?? 0) + (list?.height ?? 0));
        expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual((list?.x ?? 0) + (list?.width ?? 0));
      }
      for (const chip of await widget.panel.locator('.upload').all()) {
        expect((await chip.boundingBox())?.height).toBeLessThan(70);
      }
      await page.route('**/attachments', (route) => route.fulfill(refusal(503, 'unavailable')));
      await attach(widget, 'третий.png', PNG, 'image/png');
      await widget.panel.locator('.upload.is-failed').getByText('Не загрузился').waitFor();
      await widget.panel.getByRole('button', { name: 'Убрать третий.png' }).click();
      expect(await widget.panel.getByText('Не загрузился').count()).toBe(0);
      await widget.panel.locator('input[type=file]').setInputFiles(fileThatIsTooLarge('много.zip'));
      await widget.panel.getByText('много.zip: больше 10 МБ').waitFor();
      await widget.panel.getByRole('button', { name: 'Убрать первый.png' }).click();
      expect(await widget.panel.getByText('много.zip').count()).toBe(0);
    });
  });

  describe('when to expect an answer', () => {
    it.each(['ru-RU', 'en-GB'])('shows the whole line outside opening hours, in %s', async (locale) => {
      const opened = await open({ locale, viewport: { width: 1280, height: 800 } });
      await outOfHours(opened.page, new Date(Date.now() + 40 * 3_600_000));
      await opened.page.goto(site.url);
      await opened.page.evaluate(`chatWidget.setLocale("${locale.slice(0, 2)}")`);
      const widget = new WidgetPage(opened.page);
      await widget.launcher.click();
      const line = widget.panel.locator('.who p');
      await line.getByText(locale === 'ru-RU' ? 'Мы вернёмся' : 'We will be back').waitFor();
      const cut = await line.evaluate(
        (text) => text.scrollWidth > text.clientWidth || text.scrollHeight > text.clientHeight,
      );
      expect(cut).toBe(false);
    });

    it('keeps the greeting after the first message, and says that it was received', async () => {
      const { widget, page, id, anna } = await begun('есть вопрос');
      await widget.panel.locator('.welcome').getByText('Здравствуйте').waitFor();
      const received = widget.panel.locator('[data-received]');
      await received.getByText('Сообщение получено.').waitFor();
      await anna.http.post(`/chat/session/${id}/assign`, { token: anna.token, json: {} });
      await anna.post(id, 'Слушаю вас');
      await widget.message('Слушаю вас').waitFor();
      await expect.poll(() => received.count()).toBe(0);
      await page.reload();
      await widget.panel.locator('.welcome').getByText('Здравствуйте').waitFor();
    });

    it('shows an answer beside the button while the panel is closed, and counts it in the title', async () => {
      const { widget, page, id, anna } = await begun('жду');
      await widget.panel.getByRole('button', { name: 'Закрыть чат' }).click();
      await anna.post(id, 'Уже смотрю ваш заказ');
      const card = page.locator('chat-widget .peek');
      await card.getByText('Уже смотрю ваш заказ').waitFor();
      await expect.poll(() => page.title()).toBe('(1) Сайт');
      await card.getByRole('button', { name: 'Скрыть' }).click();
      await card.waitFor({ state: 'detached' });
      await page.reload();
      await expect.poll(() => page.title()).toBe('(1) Сайт');
      expect(await card.count()).toBe(0);
      await anna.post(id, 'Готово');
      await card.getByRole('button', { name: /Готово/ }).click();
      await widget.message('Готово').waitFor();
      await expect.poll(() => page.title()).toBe('Сайт');
    });

    it('says which number will be called, and by when', async () => {
      const { widget } = await visit({}, (page) => outOfHours(page, new Date(Date.now() + 24 * 3_600_000)));
      await widget.launcher.click();
      await widget.panel.getByRole('button', { name: 'Заказать звонок' }).click();
      await widget.panel.getByRole('textbox', { name: 'Телефон' }).fill('8 916 765-43-21');
      await widget.consent.check();
      await widget.panel.getByRole('button', { name: 'Жду звонка' }).click();
      await widget.panel.getByText(/Позвоним на 8\s916\s765-43-21 после открытия, завтра в\s\d+:\d\d/).waitFor();
    });

    it('does not say that anybody is there once the chat was closed', async () => {
      const { widget, id, anna } = await begun('спасибо');
      await anna.http.post(`/chat/session/${id}/assign`, { token: anna.token, json: {} });
      await anna.http.post(`/chat/session/${id}/close`, { token: anna.token, json: {} });
      await widget.panel.locator('.who').getByText('Чат завершён').waitFor();
      expect(await widget.panel.locator('.who').getByText('На связи').count()).toBe(0);
      expect(await widget.panel.locator('.avatar.is-online').count()).toBe(0);
    });
  });

  describe('text in the composer', () => {
    it('cuts nothing that was pasted, and says what is too long', async () => {
      const { widget } = await visit();
      await widget.open();
      await widget.consent.check();
      await widget.field.fill('я'.repeat(12_000));
      expect((await widget.field.inputValue()).length).toBe(12_000);
      await widget.panel.getByText(/Слишком длинно: 12\s000 знаков, можно 10\s000/).waitFor();
      await widget.field.press('Enter');
      expect(await widget.messages.count()).toBe(0);
      // Two units of UTF-16 each, and one character to the server.
      await widget.field.fill('🙂'.repeat(10_000));
      await widget.field.press('Enter');
      await expect.poll(() => widget.messages.count()).toBe(1);
    });

    it('takes copied cells as text, and copied files as files', async () => {
      const { page, widget } = await begun('таблица');
      const paste = (text: string, file: string): Promise<boolean> =>
        widget.field.evaluate(
          (field, [plain, name, png]) => {
            const data = new DataTransfer();
            if (plain) data.setData('text/plain', plain);
            const bytes = Uint8Array.from(atob(png), (character) => character.codePointAt(0) ?? 0);
            data.items.add(new File([bytes], name, { type: 'image/png' }));
            return field.dispatchEvent(
              new ClipboardEvent('paste', { clipboardData: data, bubbles: true, composed: true, cancelable: true }),
            );
          },
          [text, file, PNG.toString('base64')] as const,
        );
      // True: the browser may paste the text as it does.
      expect(await paste('Чай\t3\nКофе\t5', 'image.png')).toBe(true);
      await page.waitForTimeout(300);
      expect(await widget.panel.locator('.upload').count()).toBe(0);
      expect(await paste('фото.png', 'фото.png')).toBe(false);
      expect(await paste('', 'image.png')).toBe(false);
      await expect.poll(() => widget.panel.locator('.upload').count()).toBe(2);
    });

    it('sends nothing with the Enter that ends a composition, as Safari reports it', async () => {
      const { widget } = await begun('раз');
      await widget.field.fill('にほん');
      const sent = await widget.field.evaluate((field) =>
        field.dispatchEvent(
          new KeyboardEvent('keydown', {
            key: 'Enter',
            keyCode: 229,
            bubbles: true,
            composed: true,
            cancelable: true,
          } as KeyboardEventInit),
        ),
      );
      expect(sent).toBe(true);
      expect(await widget.field.inputValue()).toBe('にほん');
      await widget.field.press('Enter');
      await widget.state('にほん', 'отправлено');
    });
  });
});
