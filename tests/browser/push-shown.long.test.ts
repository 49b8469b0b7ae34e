import { Customer, HttpClient, PushService, Staff, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SECRETS } from '../support/profiles.ts';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { choose, deliver, shown, withPushService } from './push-double.ts';

const QUESTION = 'Есть ли лампа на складе?';

const CASES: readonly { readonly showsText: boolean; readonly settings: Readonly<Record<string, string>> }[] = [
  { showsText: false, settings: {} },
  { showsText: true, settings: { PUSH_SHOW_TEXT: 'true' } },
];

/** From the server's own words to what stands on the screen: sealed for the device, opened by a double of its service. */
describe.each(CASES)(
  'a push of the server in Chromium, with texts: $showsText',
  { timeout: 240_000 },
  ({ showsText, settings }) => {
    let push: PushService;
    let target: StandaloneTarget;
    let http: HttpClient;
    // The one without windows has no push.
    const { open } = useBrowser({ browser: 'chromium-desktop' });

    beforeAll(async () => {
      push = await PushService.start();
      target = await startStandalone(
        { profile: 'main', webhookUrl: '', siteOrigin: '' },
        { PUSH_PRIVATE_HOSTS: push.host, ...settings },
      );
      http = new HttpClient(target.baseUrl);
    }, 240_000);
    afterAll(async () => {
      http?.close();
      await target?.stop();
      await push?.stop();
    });

    it('[PUSH8] [NTF2] is shown as the server wrote it, and leads to its chat', async () => {
      const { page } = await open({ viewport: { width: 1280, height: 860 } });
      await withPushService(page, target.baseUrl, push.subscribe('desk'));
      const console = new ConsolePage(page, target.baseUrl);
      await console.signIn('anna');
      await console.go('#/notifications');
      await console.action('add-device').click();
      await page.locator('[data-here=true]').waitFor();
      // Also with the console open, so that the device is told while somebody looks.
      const anna = await Staff.login(http, 'anna', SECRETS.operatorPassword);
      await anna.request('PUT', '/chat/operators/me/notifications', { json: { push: ['message'], everywhere: true } });

      const customer = await Customer.create(http, { name: 'Ольга' });
      await customer.post(QUESTION);
      const mine = `#/inbox/all/${customer.sessionId}`;
      const { payload } = await until(() => push.to('desk').find((one) => one.payload.includes(mine)), {
        timeoutMs: 90_000,
        what: 'the push',
      });
      expect(payload.includes(QUESTION)).toBe(showsText);
      expect(payload.includes('Ольга')).toBe(showsText);

      const scope = `${target.baseUrl}/operator/`;
      await deliver(page, scope, JSON.parse(payload));
      const text = showsText ? `Ольга: ${QUESTION}` : `Чат ${customer.sessionId}`;
      await expect.poll(() => shown(page, scope)).toEqual([`Новое сообщение от клиента: ${text}`]);

      // In the console that is open.
      expect(await choose(page, scope)).toEqual([]);
      await page.waitForURL((url) => url.hash === mine);
      await page.locator('.message .text', { hasText: QUESTION }).waitFor();
      await expect.poll(() => shown(page, scope)).toEqual([]);

      // Or in a window of its own, where there is none.
      await page.goto(`${target.baseUrl}/widget/v1/push-worker.js`);
      await deliver(page, scope, JSON.parse(payload));
      await expect.poll(() => shown(page, scope)).toHaveLength(1);
      expect(await choose(page, scope)).toEqual([`${scope}${mine}`]);
    });
  },
);
