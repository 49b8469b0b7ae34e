import { until } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { emptyQueue } from './empty-queue.ts';
import { ConsolePage } from './console-page.ts';

describe('writing in the operator console', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  const desk = async (login: 'anna' | 'boris' | 'admin', options = {}) => {
    const opened = await open({ viewport: { width: 1440, height: 900 }, ...options });
    const console = new ConsolePage(opened.page, chat.baseUrl);
    await console.keepNotices();
    await console.signIn(login);
    return { ...opened, console };
  };
  const visitor = async (name: string) => {
    const one = await chat.customer({ name });
    await one.post(`вопрос от ${name}`);
    return one;
  };
  const bodies = async (one: Awaited<ReturnType<typeof visitor>>) =>
    (await one.messages()).messages.map(({ body }) => body);

  it('focuses the reply field when a chat is opened, and after "Send and next" that of the next one', async () => {
    const { console, page } = await desk('anna');
    await emptyQueue(chat);
    const [first, second] = [await visitor('Уточняющий'), await visitor('Второй в ряду')];
    await console.row(first.sessionId).click();
    await page.waitForSelector('.message');
    await page.keyboard.type('уточняю');
    expect(await console.field.inputValue()).toBe('уточняю');
    await page.keyboard.press('Control+Enter');
    await until(async () => !page.url().endsWith(`/${first.sessionId}`));
    await page.waitForSelector('.message');
    await page.keyboard.type('Здравствуйте, минуту');
    expect(await console.field.inputValue()).toBe('Здравствуйте, минуту');
    expect(await page.locator('#mode-reply').getAttribute('aria-pressed')).toBe('true');
    expect(await bodies(first)).toEqual(['вопрос от Уточняющий', 'уточняю']);
    expect(await bodies(second)).toEqual(['вопрос от Второй в ряду']);
  });

  it('a letter key closes only what one click opens again', async () => {
    const { console, page } = await desk('anna');
    const one = await visitor('Закрытый по ошибке');
    await console.openSession(one.sessionId);
    await page.keyboard.press('Escape');
    await page.keyboard.press('e');
    await page.locator('.notice-action').click();
    await console.field.waitFor();
    expect((await (await chat.staff('anna')).session(one.sessionId)).status).not.toBe('closed');
  });

  it('shows a brief notice of what was done, never over the row that sends', async () => {
    const { console, page } = await desk('anna');
    const [closed, next] = [await visitor('Этот закрыт'), await visitor('Этот открыт')];
    await console.openSession(closed.sessionId);
    await page.keyboard.press('Escape');
    await page.keyboard.press('e');
    await page.locator('.notice').first().waitFor();
    await console.openSession(next.sessionId);
    for (const size of [
      { width: 1_280, height: 800 },
      { width: 390, height: 844 },
    ]) {
      await page.setViewportSize(size);
      const notice = await page.locator('.notice').first().boundingBox();
      const composer = await page.locator('.composer').boundingBox();
      if (notice === null || composer === null) throw new Error('both are there');
      expect(notice.y + notice.height).toBeLessThanOrEqual(composer.y);
    }
  });

  it('keeps a half-written reply when a quick one is chosen, and undo takes the quick one back', async () => {
    const anna = await chat.staff('anna');
    const added = await anna.request('POST', '/chat/quick-replies', {
      json: { shortcut: 'часы', title: 'Часы', text: 'Мы работаем с девяти.' },
    });
    expect([201, 409]).toContain(added.status);
    const { console, page } = await desk('anna');
    const one = await visitor('Молния');
    await console.openSession(one.sessionId);
    await page.keyboard.type('Добрый день.');
    await page.getByRole('button', { name: 'Быстрые ответы' }).click();
    expect(await console.field.inputValue()).toBe('Добрый день.');
    await page.locator('[data-reply="часы"]').click();
    expect(await console.field.inputValue()).toBe('Добрый день. Мы работаем с девяти.');
    await page.keyboard.press('Control+z');
    expect(await console.field.inputValue()).toBe('Добрый день.');
  });

  it('cuts nothing: a text that is too long stays, is reported and not sent', async () => {
    const { console, page } = await desk('anna');
    const one = await visitor('Длинный');
    await console.openSession(one.sessionId);
    await console.field.fill('я'.repeat(12_000));
    await page.getByText('12000 знаков').waitFor();
    await console.field.press('Enter');
    expect((await console.field.inputValue()).length).toBe(12_000);
    expect(await console.action('send').isDisabled()).toBe(true);
    await console.field.fill('я'.repeat(10_000));
    await console.field.press('Enter');
    await until(async () => (await bodies(one)).at(-1)?.length === 10_000);
  });

  it('pastes cells as text, although the clipboard also has them as a picture', async () => {
    const { console, page } = await desk('anna');
    const one = await visitor('Таблица');
    await console.openSession(one.sessionId);
    const prevented = await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData('text/plain', 'A1\tB1');
      data.items.add(new File(['x'], 'image.png', { type: 'image/png' }));
      const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
      document.querySelector('#composer-text')?.dispatchEvent(event);
      return event.defaultPrevented;
    });
    expect(prevented).toBe(false);
    expect(await page.locator('.uploads li').count()).toBe(0);
  });

  it('returns to the reply after a note was saved, and into the text after "Back to the text"', async () => {
    const { console, page } = await desk('anna');
    const one = await visitor('Заметка');
    await console.openSession(one.sessionId);
    await page.locator('#mode-note').click();
    await console.send('для своих');
    await page.locator('.note p', { hasText: 'для своих' }).waitFor();
    await page.locator('.composer.mode-reply').waitFor();
    await page.keyboard.type('ответ');
    const boris = await chat.staff('boris');
    await boris.post(one.sessionId, 'опередил');
    await page.locator('.message .text', { hasText: 'опередил' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Вернуться к тексту' }).click();
    await page.keyboard.type(' клиенту');
    expect(await console.field.inputValue()).toBe('ответ клиенту');
  });

  it('Enter starts a new line on a phone, and no keyboard opens on its own', async () => {
    const { console, page } = await desk('anna', {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const one = await visitor('С телефона');
    await console.openSession(one.sessionId);
    expect(await page.evaluate(() => document.activeElement?.id)).not.toBe('composer-text');
    await console.field.click();
    await page.keyboard.type('первая');
    await page.keyboard.press('Enter');
    await page.keyboard.type('вторая');
    expect(await console.field.inputValue()).toBe('первая\nвторая');
    await console.action('send').click();
    await until(async () => (await bodies(one)).at(-1) === 'первая\nвторая');
  });

  it('shows new messages although the browser throws at a notification', async () => {
    const { console, page, problems } = await desk('anna');
    await page.addInitScript(() => {
      class Illegal {
        static permission = 'granted';
        static requestPermission = () => Promise.resolve('granted');
        constructor() {
          throw new TypeError('Illegal constructor');
        }
      }
      Object.defineProperty(window, 'Notification', { value: Illegal });
      const key = 'chat-console:settings';
      localStorage.setItem(
        key,
        JSON.stringify({ ...JSON.parse(localStorage.getItem(key) ?? '{}'), notifications: true }),
      );
    });
    await page.reload();
    const [shown, other] = [await visitor('Открытый'), await visitor('Другой')];
    await console.openSession(shown.sessionId);
    await other.post('вызовет уведомление');
    await page.locator('.notice.error').first().waitFor();
    await shown.post('дошло всё равно');
    await page.locator('.message .text', { hasText: 'дошло всё равно' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('notifies a colleague of a chat transferred to them, and keeps a claimed one in the current list', async () => {
    const [anna, boris] = [await desk('anna'), await desk('boris')];
    await emptyQueue(chat);
    const one = await visitor('Передаваемый');
    await anna.page.locator('[data-view=unassigned]').click();
    await anna.console.row(one.sessionId).click();
    await anna.console.action('claim').click();
    await anna.console.action('claim').waitFor({ state: 'detached' });
    expect(await anna.console.row(one.sessionId).isVisible()).toBe(true);
    const id = await boris.console.userId();
    await anna.page.getByRole('button', { name: 'Передать' }).click();
    await anna.page.locator(`[data-operator="${id}"]`).click();
    await boris.page.locator('.notice', { hasText: 'Передаваемый' }).waitFor();
    await boris.page.locator('[data-badge=alerts]').waitFor();
    await boris.page.locator('.notice-action').click();
    await boris.page.locator('.event-line', { hasText: 'Чат передан' }).waitFor();
    await boris.console.go('#/alerts');
    await boris.page.locator(`[data-transfer="${one.sessionId}"]`).waitFor();
    // What is a colleague's is neither taken nor closed; one button says so by its absence, the key in words.
    await anna.console.action('close').waitFor({ state: 'detached' });
    await anna.page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
    await anna.page.keyboard.press('e');
    await anna.page.locator('.notice.error', { hasText: 'Чат ведёт' }).waitFor();
  });
});
