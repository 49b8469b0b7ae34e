import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { PNG } from './pictures.ts';
import { useVisitors } from './visitors.ts';

describe('files of a visitor', async () => {
  const chat = await useChat('main');
  const { visit } = await useVisitors(chat.baseUrl);

  it('can be pasted and dropped, require consent first, show their progress and can be cancelled', async () => {
    const { page, widget, requests } = await visit();
    const uploads = (): number => requests.filter((url) => url.includes('/attachments')).length;
    await widget.open();
    // Nothing that would be taken is greyed out in the dialog.
    expect(await page.locator('chat-widget input[type=file]').getAttribute('accept')).toBeNull();
    const conversation = widget.panel.locator('.conversation');
    const transfer = (name: string, bytes: number) =>
      page.evaluateHandle(
        ([head, file, size]) => {
          const data = new DataTransfer();
          const start = Uint8Array.from(atob(head), (character) => character.codePointAt(0) ?? 0);
          data.items.add(new File([start, new Uint8Array(size)], file, { type: 'image/png' }));
          return data;
        },
        [PNG.toString('base64'), name, bytes] as const,
      );
    const dropped = { dataTransfer: await transfer('брошено.png', 0) };
    await conversation.dispatchEvent('dragenter', dropped);
    await widget.panel.getByText('Отпустите файлы').waitFor();
    await conversation.dispatchEvent('drop', dropped);
    await widget.panel.getByText('Отметьте согласие').waitFor();
    expect(await widget.panel.locator('.upload').count()).toBe(0);
    expect(uploads()).toBe(0);
    await widget.consent.check();
    await conversation.dispatchEvent('dragenter', dropped);
    await conversation.dispatchEvent('drop', dropped);
    await widget.panel.locator('.upload.is-done').getByText('брошено.png').waitFor();
    expect(await widget.panel.getByText('Отпустите файлы').count()).toBe(0);

    const pasted = await transfer('вставлено.png', 0);
    await widget.field.evaluate(
      (field, data) =>
        field.dispatchEvent(
          new ClipboardEvent('paste', { clipboardData: data, bubbles: true, composed: true, cancelable: true }),
        ),
      pasted,
    );
    await expect.poll(() => widget.panel.locator('.upload.is-done').count()).toBe(2);

    // Slow enough to be seen on its way on any machine.
    const devtools = await page.context().newCDPSession(page);
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 200_000 };
    await devtools.send('Network.enable');
    await devtools.send('Network.emulateNetworkConditions', slow);
    const ended = new Set<string>();
    page.on('requestfailed', (request) => ended.add(request.url()));
    await conversation.dispatchEvent('drop', { dataTransfer: await transfer('долгое.png', 6_000_000) });
    const progress = widget.panel.getByRole('progressbar');
    await expect
      .poll(async () => Number(/загружено (\d+) %/.exec((await progress.getAttribute('aria-label')) ?? '')?.[1]), {
        timeout: 30_000,
      })
      .toBeGreaterThan(1);
    expect(await widget.panel.getByRole('button', { name: 'Отправить' }).getAttribute('aria-disabled')).toBe('true');
    await widget.panel.getByRole('button', { name: 'Убрать долгое.png' }).click();
    await expect.poll(() => widget.panel.locator('.upload').count()).toBe(2);
    await expect.poll(() => [...ended].some((url) => url.includes('/attachments'))).toBe(true);
    await devtools.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 });

    await widget.say('две картинки');
    await widget.state('две картинки', 'отправлено');
    const anna = await chat.staff('anna');
    const { messages } = await anna.messages(await widget.sessionId());
    expect(messages.map(({ attachments }) => attachments.map(({ name }) => name))).toEqual([
      ['брошено.png', 'вставлено.png'],
    ]);
  });
});
