import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';
import { useBrowser } from './browser.ts';
import { WidgetPage } from './widget-page.ts';

const FREE = 1;

describe('[RATE21] a challenge', { timeout: 120_000 }, () => {
  let target: StandaloneTarget;
  const { open } = useBrowser();
  beforeAll(async () => {
    const request = { profile: 'main', webhookUrl: '', siteOrigin: '' } as const;
    target = await startStandalone(request, { CHALLENGE_AFTER_STARTS: String(FREE), DEMO: 'auto' });
  }, 120_000);
  afterAll(() => target?.stop());

  it('the widget solves it automatically, with a file that nobody else loads; the visitor sees their message', async () => {
    const loaded: boolean[] = [];
    for (let visitor = 0; visitor <= FREE; visitor += 1) {
      const { page, problems } = await open();
      const files: string[] = [];
      page.on('request', (request) => files.push(new URL(request.url()).pathname));
      await page.goto(`${target.baseUrl}/`);
      const widget = new WidgetPage(page);
      await widget.open();
      await widget.say('Здравствуйте');
      await widget.state('Здравствуйте', 'отправлено');
      loaded.push(files.includes('/widget/v1/challenge.js'));
      // The browser's own line about the answer that asks for it is the one thing that is said.
      expect(problems.filter((problem) => !problem.includes('403'))).toEqual([]);
    }
    expect(loaded).toEqual([false, true]);
  });
});
