import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { accessibilityProblems } from './accessibility.ts';
import { useBrowser } from './browser.ts';
import { PNG } from './pictures.ts';
import { WidgetPage } from './widget-page.ts';

describe('widget and demo shop for everybody', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  it.each([
    ['light', 1_280],
    ['dark', 1_280],
    ['light', 390],
    ['dark', 390],
  ] as const)('has no violation in any state: %s, %i px', async (colorScheme, width) => {
    const { page } = await open({ colorScheme, viewport: { width, height: 760 }, isMobile: width < 500 });
    await page.goto(chat.baseUrl);
    const widget = new WidgetPage(page);
    await widget.launcher.waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);

    await widget.open();
    await widget.consent.waitFor();
    await widget.field.fill('Здравствуйте! Смотрю https://shop.example/kettle');
    await widget.panel.getByRole('button', { name: 'Отправить' }).click();
    await widget.panel.getByText('Отметьте согласие').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);

    await widget.consent.check();
    await widget.panel.getByRole('button', { name: 'Отправить' }).click();
    await widget.state('Здравствуйте!', 'отправлено');
    const id = await widget.sessionId();
    const anna = await chat.staff('anna');
    await anna.http.post(`/chat/session/${id}/assign`, { token: anna.token, json: {} });
    await anna.post(id, 'Добрый день! Вот он: https://shop.example/kettle');
    await widget.message('Вот он').waitFor();
    await page.route('**/messages', (route) =>
      route.request().method() === 'POST' ? route.abort() : route.continue(),
    );
    await widget.field.fill('не уйдёт');
    await widget.panel.getByRole('button', { name: 'Отправить' }).click();
    await widget.state('не уйдёт', 'отправляется');
    expect(await accessibilityProblems(page)).toEqual([]);

    await widget.panel.getByRole('button', { name: 'Заказать звонок' }).click();
    await widget.panel.getByRole('button', { name: 'Жду звонка' }).click();
    await widget.panel.getByText('Проверьте номер').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);

    await widget.panel.getByRole('textbox', { name: 'Телефон' }).fill('8 916 765-43-22');
    await widget.panel.getByRole('button', { name: 'Жду звонка' }).click();
    await widget.panel.getByText('Заявка принята').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);

    await page.unroute('**/messages');
    await widget.panel.locator('.callback-done button').click();
    await widget.state('не уйдёт', 'отправлено');
    await widget.panel
      .locator('input[type=file]')
      .setInputFiles({ name: 'фото.png', mimeType: 'image/png', buffer: PNG });
    await widget.panel.locator('.upload.is-done').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await widget.panel.getByRole('button', { name: 'Отправить' }).click();
    await widget.panel.getByRole('button', { name: 'Открыть изображение фото.png' }).click();
    await widget.panel.getByRole('dialog', { name: 'фото.png' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press('Escape');

    await page.context().setOffline(true);
    await widget.panel.getByText('Нет связи').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it('is the same shop in English, chat and all', async () => {
    const { page } = await open({ viewport: { width: 1_280, height: 900 } });
    await page.goto(`${chat.baseUrl}/?lang=en`);
    await page.getByRole('heading', { name: 'Things that make a home calm and kind' }).waitFor();
    await page.getByRole('button', { name: 'Ask in the chat' }).click();
    await page.getByRole('dialog', { name: 'Talk to us' }).waitFor();
    await page.locator('chat-widget').getByRole('checkbox').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await page.locator('#demo').isVisible()).toBe(chat.kind === 'standalone');
    await page.getByRole('button', { name: 'Русский' }).click();
    await page.getByRole('dialog', { name: 'Напишите нам' }).waitFor();
  });
});
