import { HttpClient, sleep, Staff } from '@chat-realtime/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { SEVEN_ZIP } from '../support/files.ts';
import { SECRETS } from '../support/profiles.ts';
import { startStandalone } from '../support/standalone-target.ts';
import { useVisitors } from './visitors.ts';

describe('a chat with its own settings', async () => {
  // Whatever the others run over: a life this short is for one test only.
  const server = await startStandalone(
    { profile: 'main', webhookUrl: 'http://127.0.0.1:9/', siteOrigin: '' },
    {
      CHANNEL_TOKEN_TTL_SECONDS: '3',
      ATTACHMENT_TYPES: 'image/*,application/pdf',
      CHAT_WIDGET: JSON.stringify({
        online: 'schedule',
        reply_time_text: 'Отвечаем за минуту',
        texts: { greeting: 'Привет!', 'greeting.en': 'Hi there!', 'replyTime.en': 'We answer within a minute' },
      }),
    },
  );
  afterAll(() => server.stop());
  const { visit } = await useVisitors(server.baseUrl);

  it('greets each visitor with the words written for their language', async () => {
    const { page, widget } = await visit();
    await widget.open();
    await widget.panel.getByText('Привет!').waitFor();
    await widget.panel.getByText('Отвечаем за минуту').waitFor();
    await page.evaluate('chatWidget.setLocale("en")');
    await widget.panel.getByText('Hi there!').waitFor();
    await widget.panel.getByText('We answer within a minute').waitFor();
    expect(await widget.panel.locator('.welcome').textContent()).not.toMatch(/[а-яё]/i);
  });

  it('[ATT9] says which files it accepts, and offers no retry that must fail again', async () => {
    const { page, widget } = await visit();
    await widget.open();
    const input = page.locator('chat-widget input[type=file]');
    expect(await input.getAttribute('accept')).toBe('image/*,application/pdf');
    await widget.consent.check();
    await input.setInputFiles({ name: 'архив.7z', mimeType: 'application/x-7z-compressed', buffer: SEVEN_ZIP });
    const failed = widget.panel.locator('.upload.is-failed');
    await failed.getByText('Не принимается. Можно: image, PDF').waitFor();
    expect(await failed.getByRole('button').count()).toBe(1);
    await failed.getByRole('button', { name: 'Убрать архив.7z' }).click();
  });

  it('continues for a visitor whose device slept until their token had expired', async () => {
    const { page, widget } = await visit();
    await widget.open();
    await widget.say('засыпаю');
    await widget.state('засыпаю', 'отправлено');
    const id = await widget.sessionId();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    const http = new HttpClient(server.baseUrl);
    const anna = await Staff.login(http, 'anna', SECRETS.operatorPassword);
    await anna.post(id, 'пока вы спали');
    // Longer than the token lives.
    await sleep(4_000);
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    await expect.poll(() => widget.texts(), { timeout: 30_000 }).toEqual(['засыпаю', 'пока вы спали']);
    await widget.say('проснулся');
    await expect
      .poll(async () => (await anna.messages(id)).messages.map((message) => message.body), { timeout: 30_000 })
      .toEqual(['засыпаю', 'пока вы спали', 'проснулся']);
    await anna.post(id, 'доброе утро');
    await widget.message('доброе утро').waitFor();
    http.close();
  });
});
