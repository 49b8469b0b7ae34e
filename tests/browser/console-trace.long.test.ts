import { Customer, WebSocketClient } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';

const WORDS = 'Дошло ли это?';

/** A customer's message that stands on a socket of theirs, acknowledged. */
async function delivered(chat: Awaited<ReturnType<typeof useChat>>) {
  const customer = await Customer.create(chat.http);
  const query = { session: customer.sessionId, token: customer.token, last_seq: 0 };
  const socket = await WebSocketClient.ready(chat.baseUrl, { query });
  const { id } = await customer.post(WORDS);
  await socket.waitFor((frame) => frame.seq === 2);
  socket.send({ type: 'ack', last_id: id });
  return { customer, socket };
}

describe('the message trace in the console', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  it.each([
    {
      width: 1280,
      height: 860,
      locale: 'ru-RU',
      title: 'Путь сообщения',
      stored: 'Записано в базу',
      customer: 'клиент',
    },
    {
      ...{ width: 390, height: 844, locale: 'en-US', title: 'Message trace', stored: 'Stored in the database' },
      customer: 'customer',
    },
  ])('[TRC1] is shown to an admin, step after step, at $width in $locale', async (one) => {
    const { customer, socket } = await delivered(chat);
    const { page } = await open({ viewport: { width: one.width, height: one.height }, locale: one.locale });
    const console = new ConsolePage(page, chat.baseUrl);
    await console.signIn('admin');
    await console.openSession(customer.sessionId);
    const message = page.locator('.message', { hasText: WORDS });
    await message.hover();
    await message.getByRole('button', { name: one.title }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('heading', { name: one.title }).waitFor();
    const steps = dialog.locator('.hops li');
    await expect.poll(() => steps.first().innerText()).toContain(one.stored);
    // To the customer's socket and to the operator's own.
    const lines = await steps.allInnerTexts();
    expect(lines.filter((line) => line.includes(one.customer)).length, lines.join('\n')).toBeGreaterThan(0);
    expect(
      lines.every((line) => /\d{2}:\d{2}:\d{2}\.\d{3}/.test(line)),
      lines.join('\n'),
    ).toBe(true);
    const times = await steps
      .locator('time')
      .evaluateAll((found) => found.map((time) => time.getAttribute('datetime')));
    expect(times).toEqual([...times].sort());
    // Of whom and when, and no word of what was written.
    expect(await dialog.innerText()).not.toContain(WORDS);
    expect(await console.violations()).toEqual([]);
    expect(await dialog.evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true);
    const folder = process.env['TRACE_PICTURES'];
    if (folder !== undefined) await page.screenshot({ path: `${folder}/trace-${one.width}-${one.locale}.png` });
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await socket.close();
  });

  it('[TRC1] is offered to no operator who is not an admin', async () => {
    const { customer, socket } = await delivered(chat);
    const { page } = await open();
    const console = new ConsolePage(page, chat.baseUrl);
    await console.signIn('boris');
    await console.openSession(customer.sessionId);
    const message = page.locator('.message', { hasText: WORDS });
    await message.hover();
    expect(await message.getByRole('button', { name: 'Путь сообщения' }).count()).toBe(0);
    await socket.close();
  });

  it('[TRC1] a trace that cannot be loaded is reported as such', async () => {
    const { customer, socket } = await delivered(chat);
    const { page } = await open();
    const console = new ConsolePage(page, chat.baseUrl);
    await console.signIn('admin');
    await console.openSession(customer.sessionId);
    await page.route('**/trace?*', (route) => route.abort());
    const message = page.locator('.message', { hasText: WORDS });
    await message.hover();
    await message.getByRole('button', { name: 'Путь сообщения' }).click();
    await expect
      .poll(() => page.getByRole('alert').allInnerTexts())
      .toContain('Путь не прочитался. Закройте и попробуйте ещё раз.');
    await socket.close();
  });
});
